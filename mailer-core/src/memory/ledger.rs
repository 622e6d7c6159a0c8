//! What is shown of campaigns and deliveries, and how the host steers them.

use chrono::{DateTime, Utc};

use super::page::Page;
use super::state::State;
use super::stream::Stream;
use crate::Error;
use crate::domain::{CampaignId, CampaignState, Deferral, Reason, Scope, Status};
use crate::queue::{
    Delivery, DeliveryQuery, Hold, HoldChange, Presence, Resolution, StreamId, TicketState,
    Tombstone,
};
use crate::schedule::{Breaker, DeliveryEvent, DeliveryState, Mark, View, unserved};

impl State {
    pub(super) fn status(
        &self,
        now: DateTime<Utc>,
        campaign: &CampaignId,
    ) -> Result<Status, Error> {
        match self.stream("status", &StreamId::from(campaign)) {
            Ok(stream) => self
                .show(now, stream)
                .ok_or_else(|| Error::not_found("status", "not a campaign")),
            Err(error) => Err(error),
        }
    }

    pub(super) fn list(&self, now: DateTime<Utc>) -> Vec<Status> {
        let mut all: Vec<Status> = self
            .streams
            .values()
            .filter_map(|stream| self.show(now, stream))
            .collect();
        all.sort_by_key(|status| {
            (
                status.submitted_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
                status.campaign.clone(),
            )
        });
        all
    }

    fn show(&self, now: DateTime<Utc>, stream: &Stream) -> Option<Status> {
        self.view(now, stream).status(self.policy.as_ref(), now)
    }

    fn wait_of(&self, now: DateTime<Utc>, stream: &Stream) -> Option<Deferral> {
        self.view(now, stream).wait(self.policy.as_ref(), now)
    }

    /// All that is known of a stream.
    pub(super) fn view<'a>(&self, now: DateTime<Utc>, stream: &'a Stream) -> View<'a> {
        let workers = self
            .workers
            .values()
            .filter(|(gone_at, _)| *gone_at > now)
            .map(|(_, tick)| tick);
        let composer = stream
            .campaign
            .as_ref()
            .map(|campaign| campaign.letter.composer.as_str());
        View {
            deferral: self.deferral_of(stream, now).cloned(),
            unserved: unserved(workers, &stream.binding, composer),
            ..stream.view()
        }
    }

    pub(super) fn change_hold(
        &mut self,
        now: DateTime<Utc>,
        campaign: &CampaignId,
        change: &HoldChange,
    ) -> Result<(), Error> {
        let id = StreamId::from(campaign);
        let state = self.stream("hold", &id)?.view().state(now);
        if state.is_final() && !(state == CampaignState::Cancelled && *change == HoldChange::Cancel)
        {
            return Err(Error::conflict(
                "hold",
                format!("campaign {:?} is {state}", campaign.as_str()),
            ));
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.hold = match change {
                HoldChange::Pause { by, why } => Some(Hold::Paused {
                    by: by.clone(),
                    why: why.clone(),
                }),
                HoldChange::Resume => None,
                HoldChange::Cancel => Some(Hold::Cancelled),
            };
            stream.note_end(now);
            if *change == HoldChange::Resume {
                stream.breaker = Breaker::default();
            }
        }
        if *change == HoldChange::Resume {
            self.deferrals
                .resume(&Scope::Campaign(id.as_str().to_owned()));
        }
        self.place(&id, now);
        Ok(())
    }

    pub(super) fn outcomes(
        &self,
        now: DateTime<Utc>,
        query: &DeliveryQuery,
    ) -> Result<Vec<Delivery>, Error> {
        let stream = self.stream("outcomes", &StreamId::from(&query.campaign))?;
        let page = u32::try_from(query.page)
            .ok()
            .and_then(|number| stream.pages.get(&number));
        page.map_or_else(|| Ok(Vec::new()), |page| describe(stream, page, now))
    }

    pub(super) fn ticket(
        &self,
        now: DateTime<Utc>,
        id: &StreamId,
        key: &str,
    ) -> Result<TicketState, Error> {
        let unknown = || {
            Error::not_found(
                "ticket",
                format!("no mail with the key {key:?}, or its outcome has aged out"),
            )
        };
        let stream = self.streams.get(id).ok_or_else(unknown)?;
        let (number, index) = stream.keys.get(key).copied().ok_or_else(unknown)?;
        let page = stream.pages.get(&number).ok_or_else(unknown)?;
        let delivery = describe(stream, page, now)?
            .into_iter()
            .nth(usize::from(index))
            .ok_or_else(unknown)?;
        Ok(match page.state(index) {
            DeliveryState::Started => TicketState::InFlight,
            DeliveryState::Pending => TicketState::Waiting(self.wait_of(now, stream)),
            DeliveryState::Retry => {
                let retry = Deferral {
                    scope: stream.scopes()[3].clone(),
                    lane: Some(stream.binding.lane),
                    reason: Reason::RecipientRetry,
                    until: delivery.due,
                    since: now,
                    detail: delivery.detail,
                };
                TicketState::Waiting(Some(self.wait_of(now, stream).unwrap_or(retry)))
            }
            DeliveryState::Sent
            | DeliveryState::Failed
            | DeliveryState::Unknown
            | DeliveryState::Skipped
            | DeliveryState::Suppressed
            | DeliveryState::Expired
            | DeliveryState::Cancelled => TicketState::Done(Box::new(delivery)),
        })
    }

    pub(super) fn resolve(
        &mut self,
        now: DateTime<Utc>,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        let id = StreamId::from(campaign);
        self.stream("resolve", &id)?;
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(false);
        };
        let mut found = None;
        for (number, page) in &mut stream.pages {
            if !page.states.contains(&DeliveryState::Unknown) {
                continue;
            }
            let records = page
                .records()
                .map_err(|fault| Error::incompatible("resolve", fault))?;
            let index = (0u16..).zip(records).find(|(index, record)| {
                record.key() == key && page.state(*index) == DeliveryState::Unknown
            });
            if let Some((index, _)) = index {
                let event = match resolution {
                    Resolution::Sent => DeliveryEvent::Send,
                    Resolution::Resend => DeliveryEvent::Resend,
                };
                found = page
                    .step(index, event, &mut stream.counts)
                    .is_ok()
                    .then_some(*number);
                break;
            }
        }
        let Some(number) = found else {
            return Ok(false);
        };
        if resolution == Resolution::Resend {
            stream.finished_at = None;
        }
        self.after_change(now, &id, number);
        Ok(true)
    }

    pub(super) fn present(&self, now: DateTime<Utc>) -> Vec<Presence> {
        self.workers
            .values()
            .filter(|(gone_at, _)| *gone_at > now)
            .map(|(gone_at, tick)| Presence {
                worker: tick.worker,
                relays: tick.relays.clone(),
                until: *gone_at,
            })
            .collect()
    }

    pub(super) fn purge(
        &mut self,
        now: DateTime<Utc>,
        campaign: &CampaignId,
    ) -> Result<Tombstone, Error> {
        if let Some(tombstone) = self.tombstones.get(campaign) {
            return Ok(tombstone.clone());
        }
        let id = StreamId::from(campaign);
        let stream = self.stream("purge", &id)?;
        let tombstone = match (&stream.campaign, stream.view().final_counts(now)) {
            (Some(sealable), Some(counts)) => Tombstone {
                digest: sealable.digest,
                counts,
            },
            _ => {
                return Err(Error::conflict(
                    "purge",
                    format!(
                        "campaign {:?} is not finished: cancel it first",
                        campaign.as_str()
                    ),
                ));
            }
        };
        self.forget_stream(&id);
        self.tombstones.insert(campaign.clone(), tombstone.clone());
        Ok(tombstone)
    }
}

fn describe(stream: &Stream, page: &Page, now: DateTime<Utc>) -> Result<Vec<Delivery>, Error> {
    let records = page
        .records()
        .map_err(|fault| Error::incompatible("outcomes", fault))?;
    let ending = stream.view().ending(now);
    Ok((0u16..)
        .zip(records)
        .map(|(index, record)| {
            let row = page.rows.get(&index).cloned().unwrap_or_default();
            let mark = Mark {
                state: page.state(index),
                failure: row.failure,
                attempts: row.attempts,
                due: row.due,
                in_doubt: row.doubt.is_some(),
                detail: row.detail,
            };
            mark.show(&record, ending)
        })
        .collect())
}
