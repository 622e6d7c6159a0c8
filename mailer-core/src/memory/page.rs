//! A page of deliveries: one compact body, one state byte each, and rows for the few that have more to tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::{ClaimId, Counts, Failure, MessageSpec, Record, decode_page, encode_page};
use crate::schedule::{DeliveryEvent, DeliveryState, IllegalStep};

#[derive(Debug)]
pub(super) struct Page {
    pub(super) body: Body,
    pub(super) states: Vec<DeliveryState>,
    pub(super) rows: BTreeMap<u16, Row>,
    pub(super) owner: Option<ClaimId>,
    /// The instant by which the stream lists it as due.
    pub(super) listed: Option<DateTime<Utc>>,
    /// How often it was taken back from a worker that fell silent.
    pub(super) reaps: u32,
    /// When the last of its deliveries became final, for pages of standing streams.
    pub(super) finished_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(super) enum Body {
    /// Recipients of a campaign, as one text.
    Records(Box<str>),
    /// Single mails.
    Messages(Vec<Arc<MessageSpec>>),
}

/// What a delivery has to tell beyond its state.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Attempts charged to the recipient.
    pub(super) attempts: u32,
    /// When it is tried again.
    pub(super) due: Option<DateTime<Utc>>,
    /// How often a worker fell silent with this one alone in hand.
    pub(super) crashes: u32,
    /// Relay trouble that it met while the relay took others, since it was last charged for it.
    pub(super) troubles: u32,
    /// When it last met some.
    pub(super) troubled_at: Option<DateTime<Utc>>,
    pub(super) failure: Option<Failure>,
    pub(super) doubt: Option<Doubt>,
    /// How many attempts ended in doubt.
    pub(super) doubts: u32,
    pub(super) detail: String,
}

/// An attempt of which nobody knows how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) claim: ClaimId,
    pub(super) begun_at: DateTime<Utc>,
}

impl Page {
    pub(super) fn of_records(records: &[Record]) -> Self {
        Self {
            body: Body::Records(encode_page(records).into_boxed_str()),
            states: vec![DeliveryState::Pending; records.len()],
            rows: BTreeMap::new(),
            owner: None,
            listed: None,
            reaps: 0,
            finished_at: None,
        }
    }

    pub(super) fn of_messages() -> Self {
        Self {
            body: Body::Messages(Vec::new()),
            ..Self::of_records(&[])
        }
    }

    pub(super) fn push(&mut self, message: MessageSpec) {
        if let Body::Messages(messages) = &mut self.body {
            messages.push(Arc::new(message));
            self.states.push(DeliveryState::Pending);
            self.finished_at = None;
        }
    }

    /// The recipients, in order. A body that this store wrote always decodes.
    pub(super) fn records(&self) -> Result<Vec<Record>, String> {
        match &self.body {
            Body::Records(text) => decode_page(text),
            Body::Messages(messages) => {
                Ok(messages.iter().map(|message| message.to.clone()).collect())
            }
        }
    }

    pub(super) fn state(&self, index: u16) -> DeliveryState {
        self.states
            .get(usize::from(index))
            .copied()
            .unwrap_or_default()
    }

    /// Moves a delivery on, and its place in the counts with it.
    pub(super) fn step(
        &mut self,
        index: u16,
        event: DeliveryEvent,
        counts: &mut Counts,
    ) -> Result<(), IllegalStep> {
        let before = self.state(index);
        let after = before.on(event)?;
        if let Some(state) = self.states.get_mut(usize::from(index)) {
            *state = after;
            *count_of(counts, before) -= 1;
            *count_of(counts, after) += 1;
        }
        Ok(())
    }

    pub(super) fn row(&mut self, index: u16) -> &mut Row {
        self.rows.entry(index).or_default()
    }

    /// Those that a worker may take in hand at `now`.
    pub(super) fn claimable(&self, now: DateTime<Utc>) -> impl Iterator<Item = u16> + '_ {
        (0..).zip(&self.states).filter_map(move |(index, state)| {
            let due = self.rows.get(&index).and_then(|row| row.due);
            (state.is_waiting() && due.is_none_or(|due| due <= now)).then_some(index)
        })
    }

    /// The earliest instant at which one of them may be taken in hand. `None`: none waits.
    pub(super) fn due(&self) -> Option<DateTime<Utc>> {
        (0..)
            .zip(&self.states)
            .filter(|(_, state)| state.is_waiting())
            .map(|(index, _): (u16, _)| {
                self.rows
                    .get(&index)
                    .and_then(|row| row.due)
                    .unwrap_or(DateTime::<Utc>::MIN_UTC)
            })
            .min()
    }

    pub(super) fn is_final(&self) -> bool {
        self.states.iter().all(|state| state.is_final())
    }
}

pub(super) fn count_of(counts: &mut Counts, state: DeliveryState) -> &mut u64 {
    match state {
        DeliveryState::Pending => &mut counts.pending,
        DeliveryState::Started => &mut counts.in_flight,
        DeliveryState::Sent => &mut counts.sent,
        DeliveryState::Failed => &mut counts.failed,
        DeliveryState::Retry => &mut counts.retrying,
        DeliveryState::Unknown => &mut counts.unknown,
        DeliveryState::Skipped => &mut counts.skipped,
        DeliveryState::Suppressed => &mut counts.suppressed,
        DeliveryState::Expired => &mut counts.expired,
        DeliveryState::Cancelled => &mut counts.cancelled,
    }
}
