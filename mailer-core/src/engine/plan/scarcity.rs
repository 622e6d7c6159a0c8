//! What limits have left, as the gate last told: what it is asked for beyond that it only refuses.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::call::StoreTime;
use crate::domain::{Deferral, Lane, Reason, Scope, ScopeKind};
use crate::gate::{BeginBatch, BeginItem, BeginReply, Binding, Left};
use crate::schedule::term::SHORT_WAIT;

/// Of so many scopes all is kept in mind. Of more only the waits, at the cost of a refusal for each that still matters.
const MOST: usize = 1024;

/// The quotas of scopes and lanes whose limits have few tokens left, or none for a moment.
#[derive(Debug, Default)]
pub(super) struct Scarcity(HashMap<(Scope, Lane), Quota>);

/// How many mails of a scope and lane the gate is asked for.
#[derive(Debug, Clone, Copy)]
struct Quota {
    most: usize,
    /// None before: a short wait, which is waited out with the mails in hand.
    not_before: Duration,
}

impl Scarcity {
    /// Takes in what the gate tells of a batch. What it told before of the scopes that bind the batch is no longer true.
    pub(super) fn told(
        &mut self,
        now: Duration,
        batch: &BeginBatch,
        reply: &BeginReply,
        time: StoreTime,
    ) {
        if self.0.len() > MOST {
            self.0.retain(|_, quota| quota.not_before > now);
        }
        let is_same =
            |one: &BeginItem, other: &BeginItem| Arc::ptr_eq(&one.binding, &other.binding);
        for item in batch.items.chunk_by(is_same).filter_map(<[_]>::first) {
            for key in self.keys(&item.binding) {
                self.0.remove(&key);
            }
        }
        for (scope, lane, Left { tokens, more_at }) in reply.scarce.iter() {
            let soon = more_at.filter(|at| *at - reply.server_now < SHORT_WAIT);
            let quota = Quota {
                // The one too many is refused, and so has the wait written that all others of the scope go by.
                most: usize::try_from(tokens).map_or(usize::MAX, |tokens| tokens.saturating_add(1)),
                not_before: soon.map_or(Duration::ZERO, |at| time.wake(at)),
            };
            self.0.insert((scope.clone(), lane), quota);
        }
    }

    /// A mail was refused for a moment: unless the gate has told more of what refuses it, all that this binds wait.
    pub(super) fn waits(&mut self, binding: &Binding, deferral: &Deferral, until: Duration) {
        // A scope that does not bind the mail would let it be asked for again at once, and again.
        let scope = match binding.scope(deferral.scope.kind()) == deferral.scope {
            true => deferral.scope.clone(),
            false => binding.scope(ScopeKind::Stream),
        };
        let quota = self.0.entry((scope, binding.lane)).or_insert(Quota {
            most: usize::MAX,
            not_before: until,
        });
        if quota.not_before == Duration::ZERO {
            quota.not_before = until;
        }
    }

    /// A scope has begun to wait in the store: what comes after it.
    pub(super) fn deferred(&mut self, deferral: &Deferral) {
        self.0.retain(|(scope, lane), quota| {
            let is_bound =
                *scope == deferral.scope && deferral.lane.is_none_or(|bound| bound == *lane);
            // One token comes, perhaps no second one. A window that turns has all of them again.
            let is_slow = matches!(deferral.reason, Reason::Pacing | Reason::RateRolling);
            if is_bound && is_slow {
                quota.most = quota.most.max(2);
            }
            is_slow || !is_bound
        });
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// When the short waits of what binds these mails are over; zero if there are none.
    pub(super) fn not_before(&self, binding: &Binding) -> Duration {
        let waits = self.quotas(binding).map(|(_, quota)| quota.not_before);
        waits.max().unwrap_or_default()
    }

    /// Whether these mails wait for a moment while others of their relay and lane need not: then those are claimed
    /// meanwhile. Who waits for the namespace or the relay waits with all others.
    pub(super) fn is_paced(&self, binding: &Binding, now: Duration) -> bool {
        self.quotas(binding).any(|((scope, _), quota)| {
            let is_shared = matches!(scope, Scope::Namespace | Scope::Relay(_));
            !is_shared && quota.not_before > now
        })
    }

    /// What may be asked for now.
    pub(super) fn now(&self, now: Duration) -> Allotment<'_> {
        self.allot(Some(now))
    }

    /// What may be asked for now and in a moment, as far as that is known: where there is a wait for more, any number.
    pub(super) fn soon(&self) -> Allotment<'_> {
        self.allot(None)
    }

    fn allot(&self, now: Option<Duration>) -> Allotment<'_> {
        Allotment {
            scarcity: self,
            now,
            taken: HashMap::new(),
        }
    }

    fn quotas(&self, binding: &Binding) -> impl Iterator<Item = (&(Scope, Lane), &Quota)> {
        self.keys(binding)
            .filter_map(|key| self.0.get_key_value(&key))
    }

    /// The scopes of a binding; none where nothing is scarce, as mostly.
    fn keys<'a>(&self, binding: &'a Binding) -> impl Iterator<Item = (Scope, Lane)> + use<'a> {
        let kinds: &[ScopeKind] = match self.0.is_empty() {
            true => &[],
            false => &ScopeKind::ALL,
        };
        kinds
            .iter()
            .map(|kind| (binding.scope(*kind), binding.lane))
    }
}

/// What is left of the quotas while mails are picked.
#[derive(Debug)]
pub(super) struct Allotment<'a> {
    scarcity: &'a Scarcity,
    /// None: waits are not waited for.
    now: Option<Duration>,
    taken: HashMap<&'a (Scope, Lane), usize>,
}

impl Allotment<'_> {
    /// Takes up to `n` mails out of all quotas that bind them.
    pub(super) fn take(&mut self, binding: &Binding, n: usize) -> usize {
        let quotas = self.scarcity.quotas(binding);
        let bound: Vec<_> = quotas
            .map(|(key, quota)| (key, self.free(key, quota)))
            .collect();
        let free = bound.iter().map(|(_, free)| *free).min();
        let taken = free.map_or(n, |free| n.min(free));
        for (key, _) in bound {
            *self.taken.entry(key).or_default() += taken;
        }
        taken
    }

    fn free(&self, key: &(Scope, Lane), quota: &Quota) -> usize {
        let most = match self.now {
            Some(now) if quota.not_before > now => 0,
            None if quota.not_before > Duration::ZERO => usize::MAX,
            _ => quota.most,
        };
        most - self.taken.get(key).copied().unwrap_or_default()
    }
}
