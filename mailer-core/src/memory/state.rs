//! The whole state of a namespace, and the steps that touch more than one part of it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::limiter::Limiter;
use super::stream::Stream;
use crate::Error;
use crate::calendar::NoOpening;
use crate::domain::{
    CampaignId, ClaimId, Deferral, HaltCause, Policy, Reason, Scope, ScopeKind, StoredPolicy,
    WorkerId,
};
use crate::gate::Binding;
use crate::queue::{Defer, Halt, Hold, StreamId, Tick, Tombstone, Wait};
use crate::schedule::deferral::DeferralBook;
use crate::schedule::fair::FairOrder;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) policy: Option<StoredPolicy>,
    pub(super) policy_version: u64,
    pub(super) limiter: Limiter,
    pub(super) streams: BTreeMap<StreamId, Stream>,
    pub(super) order: FairOrder,
    pub(super) deferrals: DeferralBook,
    pub(super) claims: HashMap<ClaimId, super::claim::Lease>,
    /// The last claims that ended, so that a repeated settlement is told from a foreign one.
    pub(super) ended: VecDeque<ClaimId>,
    pub(super) ended_ids: HashSet<ClaimId>,
    pub(super) doubts: HashMap<(ClaimId, u16), (StreamId, u32)>,
    pub(super) tombstones: BTreeMap<CampaignId, Tombstone>,
    pub(super) workers: BTreeMap<WorkerId, (DateTime<Utc>, Tick)>,
    pub(super) last_token: u64,
    pub(super) last_tick: Option<DateTime<Utc>>,
    pub(super) tidied_at: Option<DateTime<Utc>>,
    /// When a relay last took a mail.
    pub(super) relays: HashMap<Scope, DateTime<Utc>>,
}

impl State {
    pub(super) fn stream(&self, op: &'static str, id: &StreamId) -> Result<&Stream, Error> {
        self.streams
            .get(id)
            .ok_or_else(|| Error::not_found(op, format!("there is no campaign {:?}", id.as_str())))
    }

    /// Says to the fair order when the stream has something to claim.
    pub(super) fn place(&mut self, id: &StreamId, now: DateTime<Utc>) {
        let Some(stream) = self.streams.get(id) else {
            return;
        };
        let mut due = stream.next_due(now);
        // A wait of the stream's own puts it to sleep; wider scopes are passed over as a whole.
        if let Some(due) = &mut due {
            let own = &stream.scopes()[3..];
            if let Some(wait) = self.deferrals.latest(own, stream.binding.lane, now) {
                *due = (*due).max(wait.end());
            }
        }
        self.order.due(id, due, now);
    }

    /// Wakes every stream whose time has come.
    pub(super) fn wake(&mut self, now: DateTime<Utc>) {
        while let Some(id) = self.order.sleeper(now) {
            self.place(&id, now);
        }
    }

    /// Places the stream that a scope is about alone, if it is about one.
    fn place_scope(&mut self, scope: &Scope, now: DateTime<Utc>) {
        if let Scope::Campaign(name) | Scope::Stream(name) = scope {
            self.place(&StreamId::from(name.clone()), now);
        }
    }

    /// Writes a deferral, and puts a stream that it concerns alone to sleep.
    pub(super) fn write_deferral(&mut self, now: DateTime<Utc>, deferral: Deferral) -> Deferral {
        let held = self.deferrals.defer(now, deferral);
        self.place_scope(&held.scope, now);
        held
    }

    pub(super) fn defer(&mut self, now: DateTime<Utc>, defer: &Defer) -> Option<Deferral> {
        let sent_since = defer.unless_sent_since.is_some_and(|since| {
            self.relays
                .get(&defer.scope)
                .is_some_and(|sent| *sent > since)
        });
        let outdated = defer
            .policy_version
            .is_some_and(|version| version < self.policy_version);
        if sent_since || outdated {
            return None;
        }
        let until = match defer.wait {
            Wait::For(duration) => Some(later(now, duration)),
            Wait::Until(at) => Some(at),
            Wait::AfterTrouble => Some(later(now, self.effective_policy().delay_after_trouble())),
            Wait::Open => None,
        };
        let deferral = Deferral {
            scope: defer.scope.clone(),
            lane: defer.lane,
            reason: defer.reason.clone(),
            until,
            since: now,
            detail: defer.detail.clone(),
        };
        Some(self.write_deferral(now, deferral))
    }

    pub(super) fn effective_policy(&self) -> Policy {
        self.policy
            .as_ref()
            .map_or_else(Policy::new, |stored| stored.policy.clone())
    }

    pub(super) fn resume(&mut self, now: DateTime<Utc>, scope: &Scope) {
        self.deferrals.resume(scope);
        self.place_scope(scope, now);
    }

    pub(super) fn halt(&mut self, now: DateTime<Utc>, halt: &Halt) -> Result<bool, Error> {
        let stream = self.stream("halt", &halt.stream)?;
        let sent_at = self.relays.get(&stream.binding.scope(ScopeKind::Relay));
        if halt
            .unless_sent_since
            .is_some_and(|since| sent_at.is_some_and(|sent| *sent > since))
        {
            return Ok(false);
        }
        if let Some(stream) = self.streams.get_mut(&halt.stream) {
            // A pause or a cancel that came first says more about who must act.
            stream.hold.get_or_insert_with(|| Hold::Halted {
                cause: halt.cause.clone(),
                detail: halt.detail.clone(),
            });
        }
        self.place(&halt.stream, now);
        Ok(true)
    }

    /// The working hours of a stream never open: a campaign halts, single mails wait for another policy.
    pub(super) fn never_opens(&mut self, now: DateTime<Utc>, binding: &Binding, never: NoOpening) {
        if binding.stream.campaign().is_none() {
            self.write_deferral(
                now,
                Deferral {
                    scope: binding.scope(ScopeKind::Campaign),
                    lane: None,
                    reason: Reason::OutsideHours,
                    until: None,
                    since: now,
                    detail: Some(never.to_string()),
                },
            );
        } else if let Some(stream) = self.streams.get_mut(&binding.stream) {
            stream.hold.get_or_insert_with(|| Hold::Halted {
                cause: HaltCause::NoOpening,
                detail: never.to_string(),
            });
            self.place(&binding.stream, now);
        }
    }

    pub(super) fn set_policy(
        &mut self,
        now: DateTime<Utc>,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        let version = self.policy.as_ref().map_or(0, |stored| stored.version);
        if let Some(wanted) = if_version
            && wanted != version
        {
            return Err(Error::conflict(
                "set_policy",
                format!("the policy in force is version {version}, not {wanted}"),
            ));
        }
        match &self.policy {
            Some(stored) if stored.policy == *policy => Ok(stored.clone()),
            _ => Ok(self.put_policy(now, policy)),
        }
    }

    pub(super) fn put_policy(&mut self, now: DateTime<Utc>, policy: &Policy) -> StoredPolicy {
        self.policy_version += 1;
        let before = self.policy.take();
        let stored = StoredPolicy::after(before.as_ref(), policy, self.policy_version, now);
        self.policy = Some(stored.clone());
        self.policy_was_changed(now);
        stored
    }

    pub(super) fn clear_policy(&mut self) {
        if self.policy.take().is_some() {
            self.policy_version += 1;
        }
    }

    fn policy_was_changed(&mut self, now: DateTime<Utc>) {
        for scope in self.deferrals.policy_changed() {
            self.place_scope(&scope, now);
        }
        // Closed hours that never open are of the policy, too.
        let halted = self.streams.iter_mut().filter(|(_, stream)| {
            matches!(
                &stream.hold,
                Some(Hold::Halted {
                    cause: HaltCause::NoOpening,
                    ..
                })
            )
        });
        let mut freed = Vec::new();
        for (id, stream) in halted {
            stream.hold = None;
            freed.push(id.clone());
        }
        for id in freed {
            self.place(&id, now);
        }
    }

    /// The latest wait among a stream's scopes, as the book has it.
    pub(super) fn deferral_of(&self, stream: &Stream, now: DateTime<Utc>) -> Option<&Deferral> {
        self.deferrals
            .latest(&stream.scopes(), stream.binding.lane, now)
    }

    pub(super) fn end_claim(&mut self, id: ClaimId) {
        self.claims.remove(&id);
        self.ended.push_back(id);
        self.ended_ids.insert(id);
        if self.ended.len() > 4096
            && let Some(first) = self.ended.pop_front()
        {
            self.ended_ids.remove(&first);
        }
    }
}

/// A wait's end. No wait is longer than ten years, so that no sum leaves the calendar.
pub(super) fn later(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    const LONGEST: TimeDelta = TimeDelta::days(3_660);
    let wait = TimeDelta::from_std(wait).unwrap_or(LONGEST).min(LONGEST);
    now.checked_add_signed(wait)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
