//! The gate: whether a delivery may begin now.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::claim::{Begun, Taken};
use super::scarce::scarce;
use super::state::State;
use crate::domain::{Deferral, StoredPolicy};
use crate::gate::{BeginBatch, BeginItem, BeginReply, Binding, StartVerdict, Verdict};
use crate::limiter::Refusal;
use crate::schedule::term::{DOT_WITHIN, SHORT_WAIT};
use crate::schedule::{DeliveryEvent, refusal};

/// What was found earlier in the same batch.
#[derive(Default)]
struct Found {
    /// What stops a binding: it stops the rest of it, too.
    stopped: Vec<(Arc<Binding>, Verdict)>,
    /// The bindings whose limits were asked.
    asked: Vec<Arc<Binding>>,
}

impl State {
    pub(super) fn begin(&mut self, now: DateTime<Utc>, batch: &BeginBatch) -> BeginReply {
        let stored = self.policy.clone();
        let mut found = Found::default();
        let verdicts = batch
            .items
            .iter()
            .map(|item| {
                if let Some(verdict) = self.replayed(item) {
                    return verdict;
                }
                let verdict =
                    self.decide(now, item, batch.policy_version, stored.as_ref(), &mut found);
                if let Some(lease) = self.claims.get_mut(&item.claim) {
                    lease.last_verdicts.insert(item.index, verdict.clone());
                }
                verdict
            })
            .collect();
        let scarce = stored
            .as_ref()
            .map(|stored| scarce(&mut self.limiter, stored, &found.asked, now));
        BeginReply {
            verdicts,
            scarce: scarce.unwrap_or_default(),
            policy_version: self.policy_version,
            server_now: now,
        }
    }

    /// The same without limits and hours.
    pub(super) fn start(&mut self, now: DateTime<Utc>, batch: &BeginBatch) -> Vec<StartVerdict> {
        batch
            .items
            .iter()
            .map(|item| {
                match self.replayed(item) {
                    Some(Verdict::Go { dot_by, .. }) => return StartVerdict::Repeated { dot_by },
                    // A call that others have followed decides nothing any more.
                    Some(_) => return StartVerdict::Stale,
                    None => {}
                }
                if let Some(verdict) = self.hindered(now, item) {
                    return verdict;
                }
                if batch.policy_version != self.policy_version || self.policy.is_none() {
                    return StartVerdict::PolicyChanged;
                }
                let dot_by = self.mark_started(now, item, Taken::default());
                if let Some(lease) = self.claims.get_mut(&item.claim) {
                    let send_by = now;
                    lease
                        .last_verdicts
                        .insert(item.index, Verdict::Go { send_by, dot_by });
                }
                StartVerdict::Started { dot_by }
            })
            .collect()
    }

    fn decide(
        &mut self,
        now: DateTime<Utc>,
        item: &BeginItem,
        policy_version: u64,
        stored: Option<&StoredPolicy>,
        found: &mut Found,
    ) -> Verdict {
        match self.hindered(now, item) {
            None => {}
            Some(StartVerdict::Held) => return Verdict::Held,
            Some(_) => return Verdict::Stale,
        }
        if policy_version != self.policy_version {
            return Verdict::PolicyChanged;
        }
        let Some(stored) = stored else {
            return Verdict::Limited(Box::new(refusal::no_policy(None, now)));
        };
        let Some(binding) = self.binding(item) else {
            return Verdict::Stale;
        };
        let is_same = |other: &Arc<Binding>| Arc::ptr_eq(other, &binding);
        if let Some((_, verdict)) = found.stopped.iter().find(|(other, _)| is_same(other)) {
            return verdict.clone();
        }
        match self.permitted(now, &binding, stored, &mut found.asked) {
            Ok((send_by, taken)) => Verdict::Go {
                send_by,
                dot_by: self.mark_started(now, item, taken),
            },
            Err(verdict) => {
                found.stopped.push((binding, verdict.clone()));
                verdict
            }
        }
    }

    /// Asks hours and limits; a refusal sets the deferral of the refusing scope.
    fn permitted(
        &mut self,
        now: DateTime<Utc>,
        binding: &Arc<Binding>,
        stored: &StoredPolicy,
        asked: &mut Vec<Arc<Binding>>,
    ) -> Result<(DateTime<Utc>, Taken), Verdict> {
        let deferral = match refusal::of_hours(binding, &stored.policy, now) {
            Ok(None) => {
                if !asked.iter().any(|other| Arc::ptr_eq(other, binding)) {
                    asked.push(Arc::clone(binding));
                }
                let limits: Taken = binding
                    .limits(stored, now)
                    .map(|(limit, scope)| (limit.clone(), scope))
                    .collect();
                let reserved = stored.policy.reserved_percent();
                match self.limiter.take_one(now, binding.lane, reserved, &limits) {
                    Ok(use_by) => {
                        let send_by = refusal::send_by(binding, &stored.policy, use_by, now);
                        return Ok((send_by, limits));
                    }
                    Err(refusal) => refused(binding, stored, &refusal, now),
                }
            }
            Ok(Some(deferral)) => Ok(deferral),
            Err(never) => Err(never),
        };
        match deferral {
            Ok(deferral) if deferral.until.is_some_and(|until| until - now < SHORT_WAIT) => {
                Err(Verdict::Limited(Box::new(deferral)))
            }
            Ok(deferral) => Err(Verdict::Limited(Box::new(
                self.write_deferral(now, deferral),
            ))),
            Err(never) => {
                self.never_opens(now, binding, never);
                Err(Verdict::Held)
            }
        }
    }

    /// The stored verdict, if this very call was made before. A call of a higher number forgets it.
    fn replayed(&mut self, item: &BeginItem) -> Option<Verdict> {
        let lease = self.claims.get_mut(&item.claim)?;
        if item.call > lease.last_call {
            lease.last_call = item.call;
            lease.last_verdicts.clear();
        }
        if item.call < lease.last_call {
            return Some(Verdict::Stale);
        }
        lease.last_verdicts.get(&item.index).cloned()
    }

    /// What stops a delivery beside policy and limits: a claim that is not valid, or a campaign that is held.
    fn hindered(&self, now: DateTime<Utc>, item: &BeginItem) -> Option<StartVerdict> {
        let lease = self.claims.get(&item.claim);
        let is_open = lease.is_some_and(|lease| {
            lease.until > now && matches!(lease.open.get(&item.index), Some(None))
        });
        let stream = lease.and_then(|lease| self.streams.get(&lease.stream));
        match stream {
            Some(stream) if is_open && stream.may_start(now) => None,
            Some(_) if is_open => Some(StartVerdict::Held),
            _ => Some(StartVerdict::Stale),
        }
    }

    fn binding(&self, item: &BeginItem) -> Option<Arc<Binding>> {
        let lease = self.claims.get(&item.claim)?;
        Some(Arc::clone(&self.streams.get(&lease.stream)?.binding))
    }

    fn mark_started(
        &mut self,
        now: DateTime<Utc>,
        item: &BeginItem,
        taken: Taken,
    ) -> DateTime<Utc> {
        if let Some(lease) = self.claims.get_mut(&item.claim)
            && let Some(stream) = self.streams.get_mut(&lease.stream)
            && let Some(page) = stream.pages.get_mut(&lease.page)
            && page
                .step(item.index, DeliveryEvent::Start, &mut stream.counts)
                .is_ok()
        {
            let begun = Begun { at: now, taken };
            lease.open.insert(item.index, Some(begun));
            stream.begun_at.get_or_insert(now);
        }
        now + DOT_WITHIN
    }
}

fn refused(
    binding: &Binding,
    stored: &StoredPolicy,
    refusal: &Refusal,
    now: DateTime<Utc>,
) -> Result<Deferral, crate::calendar::NoOpening> {
    refusal::of_limits(binding, &stored.policy, refusal, now)
}
