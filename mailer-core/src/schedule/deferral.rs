//! Who waits, by scope.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::{Deferral, Lane, Scope};

/// All deferrals of a namespace. A campaign's own wait is computed: the latest among those of its scopes.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeferralBook {
    entries: BTreeMap<Scope, BTreeMap<Slot, Deferral>>,
}

/// Deferrals of one scope stand beside each other by lane and by who ends them: a new policy, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    lane: Option<Lane>,
    of_policy: bool,
}

impl DeferralBook {
    /// Writes a deferral, unless a later one of its slot holds; returns the one that holds then.
    pub(crate) fn defer(&mut self, now: DateTime<Utc>, mut deferral: Deferral) -> Deferral {
        let slots = self.entries.entry(deferral.scope.clone()).or_default();
        let slot = Slot {
            lane: deferral.lane,
            of_policy: deferral.reason.is_of_policy(),
        };
        match slots.get(&slot) {
            Some(old) if old.holds(now) && old.end() >= deferral.end() => old.clone(),
            old => {
                if let Some(old) = old.filter(|old| old.holds(now)) {
                    deferral.since = old.since;
                }
                slots.insert(slot, deferral.clone());
                deferral
            }
        }
    }

    /// The latest wait of `scope` for `lane`, if any holds at `now`.
    pub(crate) fn of(&self, scope: &Scope, lane: Lane, now: DateTime<Utc>) -> Option<&Deferral> {
        self.entries
            .get(scope)?
            .iter()
            .filter(|(slot, deferral)| {
                slot.lane.is_none_or(|bound| bound == lane) && deferral.holds(now)
            })
            .map(|(_, deferral)| deferral)
            .max_by_key(|deferral| deferral.end())
    }

    /// The latest wait among `scopes` for `lane`.
    pub(crate) fn latest<'a>(
        &self,
        scopes: impl IntoIterator<Item = &'a Scope>,
        lane: Lane,
        now: DateTime<Utc>,
    ) -> Option<&Deferral> {
        scopes
            .into_iter()
            .filter_map(|scope| self.of(scope, lane, now))
            .max_by_key(|deferral| deferral.end())
    }

    /// A new policy ends every wait that an old one caused. Returns the scopes that had such.
    pub(crate) fn policy_changed(&mut self) -> Vec<Scope> {
        let has_such = |slots: &BTreeMap<Slot, Deferral>| slots.keys().any(|slot| slot.of_policy);
        let scopes = self.entries.iter().filter(|(_, slots)| has_such(slots));
        let scopes = scopes.map(|(scope, _)| scope.clone()).collect();
        self.retain(|slot, _| !slot.of_policy);
        scopes
    }

    /// Somebody ends the waits of a scope that no policy caused.
    pub(crate) fn resume(&mut self, scope: &Scope) {
        if let Some(slots) = self.entries.get_mut(scope) {
            slots.retain(|slot, _| slot.of_policy);
        }
    }

    /// Forgets what is over, and every wait of a scope that is gone.
    pub(crate) fn prune(&mut self, now: DateTime<Utc>) {
        self.retain(|_, deferral| deferral.holds(now));
    }

    pub(crate) fn forget(&mut self, scope: &Scope) {
        self.entries.remove(scope);
    }

    fn retain(&mut self, keep: impl Fn(&Slot, &Deferral) -> bool) {
        self.entries.retain(|_, slots| {
            slots.retain(|slot, deferral| keep(slot, deferral));
            !slots.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2026-11-24T09:{minute:02}:00Z").parse().unwrap()
    }

    fn wait(reason: Reason, since: u32, until: u32) -> Deferral {
        Deferral {
            scope: Scope::Namespace,
            lane: None,
            reason,
            until: Some(at(until)),
            since: at(since),
            detail: None,
        }
    }

    #[test]
    fn the_later_of_two_waits_holds_and_its_since_is_the_start_of_the_uninterrupted_wait() {
        let mut book = DeferralBook::default();
        book.defer(at(0), wait(Reason::TransientError, 0, 10));
        let kept = book.defer(at(2), wait(Reason::TransientError, 2, 5));
        assert_eq!((kept.since, kept.until), (at(0), Some(at(10))));
        let longer = book.defer(at(3), wait(Reason::RelayLimited, 3, 20));
        assert_eq!((longer.since, longer.reason), (at(0), Reason::RelayLimited));
        let anew = book.defer(at(30), wait(Reason::TransientError, 30, 40));
        assert_eq!(anew.since, at(30));
    }

    #[test]
    fn a_new_policy_ends_what_the_old_one_caused_and_nothing_else() {
        let mut book = DeferralBook::default();
        book.defer(at(0), wait(Reason::RatePerHour, 0, 50));
        book.defer(at(0), wait(Reason::TransientError, 0, 5));
        book.policy_changed();
        let left = book.of(&Scope::Namespace, Lane::Bulk, at(1)).unwrap();
        assert_eq!(left.reason, Reason::TransientError);
    }

    #[test]
    fn a_wait_of_one_lane_leaves_the_others_alone() {
        let mut book = DeferralBook::default();
        let mut bulk = wait(Reason::RatePerHour, 0, 50);
        bulk.lane = Some(Lane::Bulk);
        book.defer(at(0), bulk);
        assert!(book.of(&Scope::Namespace, Lane::Test, at(1)).is_none());
        assert!(book.of(&Scope::Namespace, Lane::Bulk, at(1)).is_some());
        assert!(book.of(&Scope::Namespace, Lane::Bulk, at(50)).is_none());
    }
}
