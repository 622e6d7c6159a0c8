//! Taking what became of deliveries.

use chrono::{DateTime, Utc};

use super::claim::Begun;
use super::state::{State, later};
use crate::domain::{Failure, HaltCause, ScopeKind};
use crate::queue::{Defer, Halt, Hold, SettleReply, SettleResult, Settled, Settlement, StreamId};
use crate::schedule::DeliveryEvent;
use crate::schedule::term::{BEHIND_OTHERS, TROUBLES};

impl State {
    pub(super) fn settle(
        &mut self,
        now: DateTime<Utc>,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> SettleReply {
        let mut halted = Vec::new();
        let results = settlements
            .iter()
            .map(|settlement| self.settle_one(now, settlement, &mut halted))
            .collect();
        let deferrals = defers.iter().map(|defer| self.defer(now, defer)).collect();
        SettleReply {
            results,
            deferrals,
            halted,
            server_now: now,
        }
    }

    fn settle_one(
        &mut self,
        now: DateTime<Utc>,
        settlement: &Settlement,
        halted: &mut Vec<Halt>,
    ) -> SettleResult {
        let Some(lease) = self.claims.get_mut(&settlement.claim) else {
            return self.late_evidence(now, settlement);
        };
        let Some(started) = lease.open.remove(&settlement.index) else {
            return SettleResult::Repeated;
        };
        let (id, number) = (lease.stream.clone(), lease.page);
        let is_ended = lease.open.is_empty();
        match started {
            Some(begun) => {
                self.settle_started(now, &id, number, settlement, &begun);
                halted.extend(self.note_verdict(&id, settlement));
            }
            None => self.settle_unstarted(&id, number, settlement),
        }
        if is_ended {
            self.end_claim(settlement.claim);
            if let Some(page) = self
                .streams
                .get_mut(&id)
                .and_then(|stream| stream.pages.get_mut(&number))
            {
                page.owner = None;
            }
        }
        self.after_change(now, &id, number);
        SettleResult::Applied
    }

    /// What was not started goes back to its place, or ends without having begun.
    fn settle_unstarted(&mut self, id: &StreamId, number: u32, settlement: &Settlement) {
        let event = match settlement.settled {
            Settled::Failed(_) => Some(DeliveryEvent::Fail),
            Settled::Skipped => Some(DeliveryEvent::Skip),
            Settled::Suppressed => Some(DeliveryEvent::Suppress),
            // Nothing was sent, so nothing else can have become of it.
            Settled::Sent
            | Settled::Retry { .. }
            | Settled::NotStarted
            | Settled::Returned
            | Settled::Troubled
            | Settled::Unknown { .. } => None,
        };
        match event {
            Some(event) => self.step(id, number, settlement, event),
            None => self.order.uncharge(id, 1),
        }
    }

    fn settle_started(
        &mut self,
        now: DateTime<Utc>,
        id: &StreamId,
        number: u32,
        settlement: &Settlement,
        begun: &Begun,
    ) {
        match settlement.settled {
            Settled::Sent => {
                self.note_sent(now, id);
                self.step(id, number, settlement, DeliveryEvent::Send);
            }
            Settled::Failed(_) => self.step(id, number, settlement, DeliveryEvent::Fail),
            Settled::NotStarted => {
                self.give_back(id, begun);
                self.order.uncharge(id, 1);
                self.step(id, number, settlement, DeliveryEvent::Return);
            }
            Settled::Troubled => self.troubled(now, id, number, settlement, begun.at),
            Settled::Returned => self.step(id, number, settlement, DeliveryEvent::Return),
            Settled::Retry { after } => self.refused(now, id, number, settlement, after),
            Settled::Unknown { rule } => self.lost(
                id,
                number,
                settlement.claim,
                settlement.index,
                begun.at,
                rule,
            ),
            // A mail that has begun is not skipped any more.
            Settled::Skipped | Settled::Suppressed => {
                self.step(id, number, settlement, DeliveryEvent::Return);
            }
        }
    }

    /// Counts the troubles that a mail has met while its relay took others; after too many it is the mail's own doing.
    fn troubled(
        &mut self,
        now: DateTime<Utc>,
        id: &StreamId,
        number: u32,
        settlement: &Settlement,
        begun_at: DateTime<Utc>,
    ) {
        let wait = self.effective_policy().delay_after_trouble();
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let relay = stream.binding.scope(ScopeKind::Relay);
        let Some(page) = stream.pages.get_mut(&number) else {
            return;
        };
        let row = page.row(settlement.index);
        let passed_since = |at| self.relays.get(&relay).is_some_and(|passed| *passed > at);
        let others_pass = passed_since(begun_at);
        let others_passed = others_pass || row.troubled_at.is_some_and(passed_since);
        row.troubled_at = Some(now);
        row.troubles = (row.troubles + u32::from(others_passed)) % TROUBLES;
        if others_passed && row.troubles == 0 {
            self.refused(now, id, number, settlement, None);
        } else if others_pass {
            self.step(id, number, settlement, DeliveryEvent::Return);
        } else {
            row.due = Some(later(now, wait) + BEHIND_OTHERS);
            self.step(id, number, settlement, DeliveryEvent::Refuse);
        }
    }

    /// A verdict on a campaign's mail; too many of them against what is sent halt it.
    fn note_verdict(&mut self, id: &StreamId, settlement: &Settlement) -> Option<Halt> {
        let is_block = match settlement.settled {
            Settled::Sent | Settled::Failed(Failure::Recipient) => false,
            Settled::Failed(Failure::Message | Failure::PolicyBlock) => true,
            _ => return None,
        };
        let stream = self.streams.get_mut(id)?;
        stream.campaign.as_ref()?;
        if !stream.breaker.note(is_block) || stream.hold.is_some() {
            return None;
        }
        let (cause, detail) = (HaltCause::PolicyBlocks, settlement.detail.clone());
        stream.hold = Some(Hold::Halted {
            cause: cause.clone(),
            detail: detail.clone(),
        });
        Some(Halt {
            stream: id.clone(),
            cause,
            detail,
            unless_sent_since: None,
        })
    }

    fn refused(
        &mut self,
        now: DateTime<Utc>,
        id: &StreamId,
        number: u32,
        settlement: &Settlement,
        after: Option<std::time::Duration>,
    ) {
        let policy = self.effective_policy();
        let Some(page) = self
            .streams
            .get_mut(id)
            .and_then(|stream| stream.pages.get_mut(&number))
        else {
            return;
        };
        let row = page.row(settlement.index);
        row.attempts += 1;
        match policy.delay_after_attempt(row.attempts) {
            Some(delay) => {
                // The relay may ask for more patience than the policy has, not for less.
                row.due = Some(later(now, after.map_or(delay, |after| after.max(delay))));
                self.step(id, number, settlement, DeliveryEvent::Refuse);
            }
            None => {
                row.failure = Some(Failure::Attempts);
                self.step(id, number, settlement, DeliveryEvent::Fail);
            }
        }
    }

    pub(super) fn step(
        &mut self,
        id: &StreamId,
        number: u32,
        settlement: &Settlement,
        event: DeliveryEvent,
    ) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let Some(page) = stream.pages.get_mut(&number) else {
            return;
        };
        // An illegal step is a foreign or repeated settlement: it changes nothing.
        if page
            .step(settlement.index, event, &mut stream.counts)
            .is_ok()
        {
            let failure = match settlement.settled {
                Settled::Failed(failure) => Some(failure),
                _ => None,
            };
            let keeps_words = !matches!(event, DeliveryEvent::Send | DeliveryEvent::Return);
            if keeps_words || page.rows.contains_key(&settlement.index) {
                let row = page.row(settlement.index);
                row.failure = row.failure.or(failure);
                // Words matter of a failure, a retry, a doubt.
                if event == DeliveryEvent::Send {
                    row.detail.clear();
                } else {
                    row.detail.clone_from(&settlement.detail);
                }
                if event != DeliveryEvent::Refuse {
                    row.due = None;
                }
            }
        }
    }

    fn give_back(&mut self, id: &StreamId, begun: &Begun) {
        if let Some(stream) = self.streams.get(id) {
            let lane = stream.binding.lane;
            self.limiter.give_one(begun.at, lane, &begun.taken);
        }
    }

    pub(super) fn note_sent(&mut self, now: DateTime<Utc>, id: &StreamId) {
        if let Some(stream) = self.streams.get(id) {
            self.relays
                .insert(stream.binding.scope(ScopeKind::Relay), now);
        }
    }

    pub(super) fn after_change(&mut self, now: DateTime<Utc>, id: &StreamId, number: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            if let Some(page) = stream.pages.get_mut(&number)
                && page.owner.is_none()
            {
                if page.is_final() {
                    page.finished_at.get_or_insert(now);
                }
                stream.set_due(number);
            }
            stream.note_end(now);
        }
        self.place(id, now);
    }
}
