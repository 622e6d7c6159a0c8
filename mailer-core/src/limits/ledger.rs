//! The counters of many limits and scopes, in memory.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Allowance, Bound, Counter, Decision, Micros, decide};
use crate::domain::{Lane, Limit, Scope};

/// The counters of all limits and scopes of one mailer.
///
/// Counters appear when first used and are dropped when they count nothing any more. A limit's cap is not part of its
/// counter: raising it frees the difference, lowering it acts at once.
///
/// ```
/// use mailer_core::domain::{Lane, Limit, Scope};
/// use mailer_core::limits::{Decision, Ledger, Line, Micros};
///
/// let limits: [Limit; 2] = ["3/minute".parse()?, "100/day@Europe/Moscow".parse()?];
/// let demand: Vec<Line> = limits.iter().map(|limit| Line { limit, scope: &Scope::Namespace }).collect();
/// let mut ledger = Ledger::new();
///
/// let now = Micros::new(0);
/// let Decision::Granted { granted, .. } = ledger.reserve(&demand, Lane::Bulk, 0, 5, now) else { panic!("refused") };
/// assert_eq!(granted, 3);
/// let Decision::Refused { line, .. } = ledger.reserve(&demand, Lane::Bulk, 0, 1, now) else { panic!("granted") };
/// assert_eq!(line, 0);
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    scopes: HashMap<Scope, Vec<Entry>>,
    sweep_above: usize,
}

/// One limit of a demand, and the scope it is counted for there.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Line<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// A scope of the limit's kind: the relay in question, the sender.
    pub scope: &'a Scope,
}

/// How far a limit is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The limit.
    pub limit: Limit,
    /// What it was counted for.
    pub scope: Scope,
    /// Tokens that count now. For a pace: that have not run off yet. More than the cap if that was lowered,
    /// or if the clock was set back.
    pub used: u32,
    /// The limit's cap.
    pub cap: u32,
    /// For a calendar limit: the window of now, from its first instant to the first one after it.
    pub window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When a token is free, reserved ones included: now, or the first instant later. None if the limit is closed.
    pub free_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
struct Entry {
    limit: Limit,
    counter: Counter,
}

impl Ledger {
    /// A ledger that has counted nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up to `n` tokens, from every limit of the demand the same number, or changes nothing.
    ///
    /// Limits that do not bind `lane` are passed over. `reserved` percent of each cap are kept from `Bulk`, see
    /// [`Allowance`]. A demand for 0 tokens takes nothing and tells whether one could be had.
    pub fn reserve<'a>(
        &mut self,
        demand: &[Line<'a>],
        lane: Lane,
        reserved: u8,
        n: u32,
        now: Micros,
    ) -> Decision {
        self.sweep_if_grown(now);
        for line in demand.iter().filter(|line| line.binds(lane)) {
            self.open(line, now);
        }
        let bound = |(index, line): (usize, &Line<'a>)| {
            Some(Bound {
                line: index,
                limit: line.limit,
                counter: self.counter(line)?,
                allowance: Allowance::new(line.limit, lane, reserved),
            })
        };
        let lines = demand.iter().enumerate();
        let bounds: Vec<Bound<'_>> = lines
            .filter(|(_, line)| line.binds(lane))
            .filter_map(bound)
            .collect();
        let decision = decide(&bounds, n, now);
        if let Decision::Granted { granted, .. } = decision
            && granted > 0
        {
            self.each_counter(demand, lane, |limit, counter| {
                counter.take(granted, now, Allowance::new(limit, lane, reserved));
            });
        }
        decision
    }

    /// Takes back `n` tokens that [`reserve`](Self::reserve) granted at `granted_at` for the same demand and lane, and
    /// that were not used.
    ///
    /// Each returns to the window it was granted in. Once that is gone, nothing changes.
    pub fn give_back(&mut self, demand: &[Line<'_>], lane: Lane, n: u32, granted_at: Micros) {
        self.each_counter(demand, lane, |limit, counter| {
            counter.give_back(limit, n, granted_at);
        });
    }

    /// How many tokens one limit has for `lane`, and the first instant at which it has one: none if it is closed.
    pub fn free(
        &mut self,
        line: &Line<'_>,
        lane: Lane,
        reserved: u8,
        now: Micros,
    ) -> (u32, Option<Micros>) {
        self.open(line, now);
        let allowance = Allowance::new(line.limit, lane, reserved);
        self.counter(line).map_or((0, None), |counter| {
            let free_at = counter.next_free(line.limit, now, allowance);
            (counter.free(now, allowance), free_at)
        })
    }

    /// How far `limit` is used up for `scope`.
    #[must_use]
    pub fn usage(&self, limit: &Limit, scope: &Scope, now: Micros) -> Usage {
        let fresh = Counter::new(limit, now);
        let counter = self.counter(&Line { limit, scope }).unwrap_or(&fresh);
        let window = counter.window(limit, now);
        Usage {
            limit: limit.clone(),
            scope: scope.clone(),
            used: counter.used(limit, now),
            cap: limit.cap(),
            window: window.map(|(window, _)| (window.start.into(), window.end.into())),
            free_at: counter
                .next_free(limit, now, Allowance::whole(limit))
                .map(DateTime::from),
        }
    }

    /// Drops the counters that count nothing any more, as [`reserve`](Self::reserve) does now and then.
    pub fn prune(&mut self, now: Micros) {
        self.scopes.retain(|_, entries| {
            entries.retain(|entry| now < entry.counter.forgotten_at(&entry.limit));
            !entries.is_empty()
        });
        self.sweep_above = SWEEP_ABOVE.max(2 * self.scopes.len());
    }

    /// How many scopes have counters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// Whether nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Sweeping only when the map has doubled keeps the cost for each demand constant.
    fn sweep_if_grown(&mut self, now: Micros) {
        if self.scopes.len() > self.sweep_above {
            self.prune(now);
        }
    }

    fn open(&mut self, line: &Line<'_>, now: Micros) {
        if let Some(entries) = self.scopes.get_mut(line.scope) {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.is(line.limit)) {
                // The cap of today decides how long a pace is remembered.
                if entry.limit.cap() != line.limit.cap() {
                    entry.limit = line.limit.clone();
                }
                entry.counter.roll(line.limit, now);
            } else {
                entries.push(Entry::new(line.limit, now));
            }
        } else {
            let entries = vec![Entry::new(line.limit, now)];
            self.scopes.insert(line.scope.clone(), entries);
        }
    }

    fn counter(&self, line: &Line<'_>) -> Option<&Counter> {
        let entries = self.scopes.get(line.scope)?;
        let entry = entries.iter().find(|entry| entry.is(line.limit))?;
        Some(&entry.counter)
    }

    /// Visits every counter of the demand once, also if two lines share it.
    fn each_counter(
        &mut self,
        demand: &[Line<'_>],
        lane: Lane,
        mut visit: impl FnMut(&Limit, &mut Counter),
    ) {
        for (index, line) in demand.iter().enumerate() {
            let shared = |earlier: &Line<'_>| {
                earlier.limit.same_counter(line.limit) && earlier.scope == line.scope
            };
            if !line.binds(lane) || demand[..index].iter().any(shared) {
                continue;
            }
            if let Some(entries) = self.scopes.get_mut(line.scope)
                && let Some(entry) = entries.iter_mut().find(|entry| entry.is(line.limit))
            {
                visit(line.limit, &mut entry.counter);
            }
        }
    }
}

impl Line<'_> {
    fn binds(&self, lane: Lane) -> bool {
        self.limit.lanes().contains(lane)
    }
}

impl Entry {
    fn new(limit: &Limit, now: Micros) -> Self {
        Self {
            limit: limit.clone(),
            counter: Counter::new(limit, now),
        }
    }

    fn is(&self, limit: &Limit) -> bool {
        self.limit.same_counter(limit)
    }
}

const SWEEP_ABOVE: usize = 1024;

#[cfg(test)]
mod tests;
