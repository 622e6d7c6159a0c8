//! The limiter: the counters, and which reservation took what.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Lane, Limit, Reason, Scope};
use crate::limiter::{Demand, Grant, Refusal, Usage};
use crate::limits::{Decision, Ledger, Line, Micros};

/// How long a reservation is remembered after its tokens can no longer be used.
const REMEMBERED: TimeDelta = TimeDelta::seconds(60);
/// How long a token may be used where no limit says less.
const USABLE: TimeDelta = TimeDelta::seconds(5);

#[derive(Debug, Default)]
pub(super) struct Limiter {
    counters: Ledger,
    reservations: HashMap<String, Reservation>,
    by_end: BTreeMap<(DateTime<Utc>, String), ()>,
}

#[derive(Debug)]
struct Reservation {
    grant: Grant,
    lane: Lane,
    limits: Vec<(Limit, Scope)>,
    at: DateTime<Utc>,
    unused: u32,
}

impl Limiter {
    /// Takes one token over `limits` for a delivery that begins; its claim remembers it.
    pub(super) fn take_one(
        &mut self,
        now: DateTime<Utc>,
        lane: Lane,
        reserved: u8,
        limits: &[(Limit, Scope)],
    ) -> Result<DateTime<Utc>, Refusal> {
        if limits.is_empty() {
            return Ok(now + USABLE);
        }
        let lines: Vec<Line<'_>> = limits
            .iter()
            .map(|(limit, scope)| Line { limit, scope })
            .collect();
        let decision = self.counters.reserve(&lines, lane, reserved, 1, now.into());
        match grant_of(&lines, decision, now) {
            Grant {
                granted: 1..,
                use_by,
                ..
            } => Ok(use_by),
            Grant { refusal, .. } => Err(refusal.unwrap_or(Refusal {
                scope: Scope::Namespace,
                reason: Reason::LimiterUnavailable,
                retry_at: Some(now),
            })),
        }
    }

    /// How many tokens a limit has for a lane, and when it has one: none if it is closed.
    pub(super) fn free(
        &mut self,
        now: DateTime<Utc>,
        lane: Lane,
        reserved: u8,
        limit: &Limit,
        scope: &Scope,
    ) -> (u32, Option<DateTime<Utc>>) {
        let line = Line { limit, scope };
        let (tokens, free_at) = self.counters.free(&line, lane, reserved, now.into());
        (tokens, free_at.map(DateTime::from))
    }

    /// Gives a token back that was taken at `taken_at` and not used.
    pub(super) fn give_one(
        &mut self,
        taken_at: DateTime<Utc>,
        lane: Lane,
        limits: &[(Limit, Scope)],
    ) {
        let lines: Vec<Line<'_>> = limits
            .iter()
            .map(|(limit, scope)| Line { limit, scope })
            .collect();
        self.counters.give_back(&lines, lane, 1, taken_at.into());
    }

    pub(super) fn reserve(&mut self, now: DateTime<Utc>, demand: &Demand) -> Grant {
        self.forget(now);
        if let Some(known) = self.reservations.get(&demand.id) {
            return known.grant.clone();
        }
        let lines: Vec<Line<'_>> = demand
            .limits
            .iter()
            .map(|(limit, scope)| Line { limit, scope })
            .collect();
        let decision = self.counters.reserve(
            &lines,
            demand.lane,
            demand.reserved_percent,
            demand.n,
            now.into(),
        );
        let grant = grant_of(&lines, decision, now);
        if grant.granted > 0 {
            self.by_end
                .insert((grant.use_by + REMEMBERED, demand.id.clone()), ());
            self.reservations.insert(
                demand.id.clone(),
                Reservation {
                    grant: grant.clone(),
                    lane: demand.lane,
                    limits: demand.limits.clone(),
                    at: now,
                    unused: 0,
                },
            );
        }
        grant
    }

    pub(super) fn refund(&mut self, now: DateTime<Utc>, id: &str, unused: u32) {
        self.forget(now);
        let Some(reservation) = self.reservations.get_mut(id) else {
            return;
        };
        let unused = unused.min(reservation.grant.granted);
        let more = unused.saturating_sub(reservation.unused);
        reservation.unused += more;
        if more > 0 {
            let lines: Vec<Line<'_>> = reservation
                .limits
                .iter()
                .map(|(limit, scope)| Line { limit, scope })
                .collect();
            self.counters
                .give_back(&lines, reservation.lane, more, reservation.at.into());
        }
    }

    pub(super) fn usage(&self, now: DateTime<Utc>, limits: &[(Limit, Scope)]) -> Vec<Usage> {
        limits
            .iter()
            .map(|(limit, scope)| {
                let usage = self.counters.usage(limit, scope, now.into());
                Usage {
                    limit: limit.clone(),
                    scope: scope.clone(),
                    used: usage.used,
                    window_ends: usage.window.map(|(_, end)| end),
                }
            })
            .collect()
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        while let Some(entry) = self.by_end.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((_, id), ()) = entry.remove_entry();
            self.reservations.remove(&id);
        }
    }
}

fn grant_of(lines: &[Line<'_>], decision: Decision, now: DateTime<Utc>) -> Grant {
    let refusal_of = |line: usize, retry_at: Option<Micros>| {
        lines.get(line).map(|line| Refusal {
            scope: line.scope.clone(),
            reason: Reason::from(line.limit.kind().reason_code(line.limit.cap()).to_owned()),
            retry_at: retry_at.map(DateTime::<Utc>::from),
        })
    };
    match decision {
        Decision::Granted {
            granted,
            use_by,
            bound_by,
            retry_at,
        } => Grant {
            granted,
            use_by: use_by.into(),
            refusal: bound_by.and_then(|line| refusal_of(line, retry_at)),
            server_now: now,
        },
        Decision::Refused { line, retry_at, .. } => Grant {
            granted: 0,
            use_by: now,
            refusal: refusal_of(line, retry_at),
            server_now: now,
        },
    }
}
