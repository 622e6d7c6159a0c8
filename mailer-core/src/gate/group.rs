//! Deliveries that the same rules bind.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::hands::Token;
use super::{BeginBatch, Binding, Verdict};
use crate::calendar::NoOpening;
use crate::domain::{Deferral, Reason, Scope, StoredPolicy};
use crate::limiter::{Grant, Refusal};
use crate::schedule::refusal;

/// The items of one binding, and the tokens that there are for them.
pub(super) struct Group<'a> {
    pub(super) binding: &'a Arc<Binding>,
    /// Those who have not been tried yet, in order.
    pub(super) waiting: VecDeque<usize>,
    pub(super) reservation: String,
    pub(super) tokens: u32,
    pub(super) send_by: DateTime<Utc>,
    pub(super) refusal: Option<Refusal>,
}

impl Group<'_> {
    pub(super) fn take(&mut self, grant: Grant, stored: &StoredPolicy, now: DateTime<Utc>) {
        // The limiter may live by another clock: only differences are taken over.
        let ahead: TimeDelta = now - grant.server_now;
        self.tokens = grant.granted;
        self.send_by = refusal::send_by(self.binding, &stored.policy, grant.use_by + ahead, now);
        self.refusal = grant.refusal.map(|refusal| Refusal {
            retry_at: refusal.retry_at.map(|at| at + ahead),
            ..refusal
        });
    }

    pub(super) fn refused(
        &self,
        stored: &StoredPolicy,
        now: DateTime<Utc>,
    ) -> Result<Deferral, NoOpening> {
        // A limiter that gives less than all says why. If not, it is asked again.
        let refusal = self.refusal.clone().unwrap_or(Refusal {
            scope: Scope::Namespace,
            reason: Reason::LimiterUnavailable,
            retry_at: Some(now),
        });
        refusal::of_limits(self.binding, &stored.policy, &refusal, now)
    }

    pub(super) fn token(&self, call: u32) -> Token {
        Token {
            call,
            reservation: self.reservation.clone(),
            send_by: self.send_by,
        }
    }

    /// The same verdict for all who wait.
    pub(super) fn all(&self, verdict: &Verdict, verdicts: &mut [Option<Verdict>]) {
        for place in &self.waiting {
            verdicts[*place] = Some(verdict.clone());
        }
    }
}

/// The items without a verdict, by what binds them.
pub(super) fn groups_of<'a>(batch: &'a BeginBatch, verdicts: &[Option<Verdict>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: BTreeMap<*const Binding, usize> = BTreeMap::new();
    for (place, item) in batch.items.iter().enumerate() {
        let number = *known.entry(Arc::as_ptr(&item.binding)).or_insert_with(|| {
            groups.push(Group {
                binding: &item.binding,
                waiting: VecDeque::new(),
                // Each delivery is in one group of a call: the first one names it, also when the call is repeated.
                reservation: format!("{}.{}.{}", item.claim, item.call, item.index),
                tokens: 0,
                send_by: DateTime::<Utc>::MIN_UTC,
                refusal: None,
            });
            groups.len() - 1
        });
        if verdicts[place].is_none() {
            groups[number].waiting.push_back(place);
        }
    }
    groups.retain(|group| !group.waiting.is_empty());
    groups
}
