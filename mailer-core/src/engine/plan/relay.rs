//! One relay's connections, as the plan counts them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::RelayHealth;

/// How long a worker that was refused a connection keeps to fewer.
const SHRUNK_FOR: Duration = Duration::from_secs(30);

/// How long a worker for which there is no connection leaves it to the others. One that waits in line for it has waited
/// before.
const REST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Relay {
    max: usize,
    /// Fewer than `max` after a refused connection; one while the relay is probed.
    allowed: usize,
    shrunk_at: Duration,
    pub(super) connecting: BTreeSet<u64>,
    pub(super) idle: BTreeSet<u64>,
    /// Those that can take a mail behind the one whose verdict they wait for.
    pub(super) behind: BTreeSet<u64>,
    pub(super) busy: BTreeSet<u64>,
    /// No connection is opened and nothing claimed before.
    pub(super) closed_until: Duration,
    failures: u32,
}

impl Relay {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max: max.max(1),
            allowed: max.max(1),
            shrunk_at: Duration::ZERO,
            connecting: BTreeSet::new(),
            idle: BTreeSet::new(),
            behind: BTreeSet::new(),
            busy: BTreeSet::new(),
            closed_until: Duration::ZERO,
            failures: 0,
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn health(&self) -> RelayHealth {
        RelayHealth {
            connections: self.open(),
            allowed: self.allowed,
        }
    }

    pub(super) fn open(&self) -> usize {
        self.connecting.len() + self.idle.len() + self.behind.len() + self.busy.len()
    }

    /// How many mails could be handed out now. A mail goes behind another only where no further connection is allowed:
    /// a relay that takes its time over one keeps it waiting, too.
    pub(super) fn takes(&self) -> usize {
        match self.open() < self.allowed {
            true => self.idle.len(),
            false => self.idle.len() + self.behind.len(),
        }
    }

    /// The connection for the next mail.
    pub(super) fn take(&mut self) -> Option<u64> {
        let connection = self.idle.pop_first().or_else(|| self.behind.pop_first())?;
        self.busy.insert(connection);
        Some(connection)
    }

    /// How many connections to open for `ready` mails that wait for one.
    pub(super) fn wanted(&self, ready: usize, now: Duration) -> usize {
        if now < self.closed_until {
            return 0;
        }
        let spare = self.idle.len() + self.connecting.len();
        ready
            .saturating_sub(spare)
            .min(self.allowed.saturating_sub(self.open()))
    }

    /// A connection is gone.
    pub(super) fn lose(&mut self, connection: u64) {
        self.connecting.remove(&connection);
        self.idle.remove(&connection);
        self.behind.remove(&connection);
        self.busy.remove(&connection);
    }

    /// A connection was refused. True: none is left, so the relay itself is in trouble.
    pub(super) fn refused(&mut self, now: Duration) -> bool {
        self.shrunk_at = now;
        self.allowed = self.open().max(1);
        self.open() == 0
    }

    /// The relay is in trouble: after a wait one connection is tried, then all.
    pub(super) fn close(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.allowed = 1;
        self.shrunk_at = now;
        // The store's deferral is what makes everybody wait; this only keeps a worker from spinning where it does not.
        let pause = Duration::from_secs(1) * 2u32.saturating_pow(self.failures.min(6) - 1);
        self.closed_until = now + pause;
    }

    /// There is no place for this worker: it asks again in a moment.
    pub(super) fn rest(&mut self, now: Duration) {
        self.closed_until = self.closed_until.max(now + REST);
    }

    /// A mail got through.
    pub(super) fn succeeded(&mut self, now: Duration) {
        let probed = self.failures > 0;
        self.failures = 0;
        if probed || now >= self.shrunk_at + SHRUNK_FOR {
            self.allowed = self.max;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_goes_behind_another_only_where_no_further_connection_is_allowed() {
        let mut relay = Relay::new(3);
        relay.behind.insert(1);
        relay.idle.insert(2);
        assert_eq!(relay.takes(), 1, "a third connection can be opened");
        assert_eq!(relay.wanted(2, Duration::ZERO), 1);
        relay.busy.insert(3);
        assert_eq!(relay.takes(), 2);
        assert_eq!(relay.take(), Some(2), "the idle one first");
        assert_eq!(relay.take(), Some(1));
        assert_eq!((relay.take(), relay.open()), (None, 3));
    }

    #[test]
    fn a_refused_connection_makes_for_fewer_until_mails_get_through_again() {
        let at = Duration::from_secs;
        let mut relay = Relay::new(8);
        relay.busy.extend([1, 2, 3]);
        assert_eq!(relay.wanted(10, at(100)), 5);
        assert!(!relay.refused(at(100)), "three are left");
        assert_eq!(relay.wanted(10, at(100)), 0);
        relay.succeeded(at(101));
        assert_eq!(relay.wanted(10, at(101)), 0);
        relay.succeeded(at(130));
        assert_eq!(relay.wanted(10, at(130)), 5);

        relay.busy.clear();
        assert!(relay.refused(at(140)), "none is left");
        assert_eq!(relay.wanted(10, at(140)), 1);
    }
}
