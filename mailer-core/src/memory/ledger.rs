//! What is shown of campaigns and deliveries, and how the host steers them.

use chrono::{DateTime, Utc};

use super::page::Page;
use super::state::State;
use super::stream::Stream;
use crate::Error;
use crate::domain::{CampaignId, Deferral, HaltCause, Reason, Scope, Status};
use crate::queue::{
    Delivery, DeliveryQuery, Hold, HoldChange, Presence, Resolution, StreamId, TicketState,
    Tombstone,
};
use crate::schedule::{DeliveryEvent, DeliveryState, campaign, refusal};

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
        let sealable = stream.campaign.as_ref()?;
        let deferral = self.wait_of(now, stream);
        let never = self.no_opening(now, stream);
        let mut facts = stream.facts(now, deferral.as_ref());
        facts.hold = facts.hold.or(never.as_ref());
        let shown = campaign::show(&facts);
        Some(Status {
            campaign: sealable.spec.id.clone(),
            state: shown.state,
            reason_code: shown.reason_code,
            reason_text: shown.reason_text,
            detail: shown.detail,
            next_run_at: shown.next_run_at,
            since: shown.since,
            policy_version: self.policy.as_ref().map_or(0, |stored| stored.version),
            counts: shown.counts,
            submitted_at: sealable.sealed_at,
            started_at: stream.begun_at,
            finished_at: stream.ended_at(now),
        })
    }

    /// A calendar that never opens halts, whether or not any worker has met it yet.
    fn no_opening(&self, now: DateTime<Utc>, stream: &Stream) -> Option<Hold> {
        let policy = &self.policy.as_ref()?.policy;
        let never = refusal::of_hours(&stream.binding, policy, now).err()?;
        Some(Hold::Halted {
            cause: HaltCause::NoOpening,
            detail: never.to_string(),
        })
    }

    /// Why a stream does not send at `now`, whether or not any worker has met the reason yet.
    fn wait_of(&self, now: DateTime<Utc>, stream: &Stream) -> Option<Deferral> {
        let since = stream
            .campaign
            .as_ref()
            .and_then(|campaign| campaign.sealed_at)
            .unwrap_or(now);
        let wait = |scope: Scope, reason: Reason, until: Option<DateTime<Utc>>| Deferral {
            scope,
            lane: Some(stream.binding.lane),
            reason,
            until,
            since,
            detail: None,
        };
        let Some(stored) = &self.policy else {
            return Some(refusal::no_policy(None, since));
        };
        let own = stream.scopes()[3].clone();
        let starts_at = stream
            .campaign
            .as_ref()
            .and_then(|campaign| campaign.spec.starts_at);
        let scheduled = starts_at
            .filter(|at| *at > now)
            .map(|at| wait(own.clone(), Reason::Scheduled, Some(at)));
        let closed = refusal::of_hours(&stream.binding, &stored.policy, now)
            .ok()
            .flatten()
            .map(|deferral| Deferral { since, ..deferral });
        let booked = self.deferral_of(stream, now).cloned();
        // `max_by_key` takes the last of equals: the book knows since when, so it comes last.
        let known = scheduled
            .into_iter()
            .chain(closed)
            .chain(booked)
            .max_by_key(Deferral::end);
        if known.is_some() {
            return known;
        }
        if stream.counts.in_flight > 0 {
            return None;
        }
        let retry_at = stream
            .due
            .first()
            .map(|(due, _)| *due)
            .filter(|due| *due > now);
        if let Some(due) = retry_at.filter(|_| stream.counts.pending == 0) {
            return Some(Deferral {
                detail: stream.words_of_retry(due),
                ..wait(own, Reason::RecipientRetry, Some(due))
            });
        }
        self.worker_serves(stream, now)
            .err()
            .map(|reason| wait(own, reason, None))
    }

    pub(super) fn change_hold(
        &mut self,
        now: DateTime<Utc>,
        campaign: &CampaignId,
        change: &HoldChange,
    ) -> Result<(), Error> {
        let id = StreamId::from(campaign);
        let state = campaign::state(&self.stream("hold", &id)?.facts(now, None));
        if state.is_final()
            && !(state == crate::domain::CampaignState::Cancelled && *change == HoldChange::Cancel)
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
        let tombstone = match &stream.campaign {
            Some(sealable) if stream.ended_at(now).is_some() => Tombstone {
                digest: sealable.digest,
                counts: campaign::counts(&stream.facts(now, None)),
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
    let ended = match (&stream.hold, stream.has_expired(now)) {
        (Some(Hold::Cancelled), _) => Some(DeliveryState::Cancelled),
        (_, true) => Some(DeliveryState::Expired),
        _ => None,
    };
    Ok((0u16..)
        .zip(records)
        .map(|(index, record)| {
            let row = page.rows.get(&index).cloned().unwrap_or_default();
            let state = page.state(index);
            let shown = ended.filter(|_| state.is_waiting()).unwrap_or(state);
            Delivery {
                key: record.key().to_owned(),
                address: record.to.address().as_str().to_owned(),
                state: shown.as_str().to_owned(),
                failure: row.failure,
                attempts: row.attempts,
                due: row.due.filter(|_| shown == DeliveryState::Retry),
                in_doubt: row.doubt.is_some(),
                detail: Some(row.detail).filter(|detail| !detail.is_empty()),
            }
        })
        .collect())
}
