use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::{Ending, Timeline};
use crate::calendar::{NoOpening, Zone};
use crate::domain::{Deferral, Lane, Limit, LimitKind, Policy, Reason, RelayName};
use crate::gate::Binding;
use crate::limiter::Refusal;
use crate::limits::{Allowance, Bound, Counter, Decision, Micros, Running, decide, run};
use crate::queue::StreamId;
use crate::schedule::refusal;

/// Follows a campaign through a policy, leg by leg.
#[derive(Debug)]
pub(super) struct Course<'a> {
    policy: &'a Policy,
    binding: Binding,
    lines: Vec<Running<'a>>,
    left: u64,
    now: DateTime<Utc>,
    /// From `now` to here the hours are known to be open.
    open_until: DateTime<Utc>,
    end: DateTime<Utc>,
    legs: u32,
    /// Waiting for what never comes.
    closed: bool,
}

/// One step of the way. Sending legs lie within one hour of the UTC clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leg {
    /// So many begin, the first at or after `from`, the last at `last`.
    Sending {
        from: DateTime<Utc>,
        last: DateTime<Utc>,
        count: u64,
    },
    Waiting(Deferral),
}

impl<'a> Course<'a> {
    pub(super) fn new(policy: &'a Policy, start: DateTime<Utc>, n: u64) -> Self {
        let binding = binding();
        let line = |limit| Running {
            limit,
            counter: Counter::new(limit, start.into()),
            allowance: Allowance::new(limit, binding.lane, policy.reserved_percent()),
        };
        let bulk = |limit: &&Limit| limit.lanes().contains(binding.lane);
        Self {
            policy,
            lines: policy.limits().iter().filter(bulk).map(line).collect(),
            binding,
            left: n,
            now: start,
            open_until: start,
            end: later(start, Timeline::HORIZON),
            legs: 0,
            closed: false,
        }
    }

    /// The next leg, or why there is none.
    pub(super) fn next(&mut self) -> Result<Leg, Ending> {
        if self.left == 0 {
            return Err(Ending::Finished);
        }
        if self.closed {
            return Err(Ending::LimitClosed);
        }
        self.legs += 1;
        if self.now > self.end || self.legs > MOST_LEGS {
            return Err(self.too_long());
        }
        if let Some(after_hours) = self.after_hours()? {
            return self.wait(after_hours);
        }
        match self.burst() {
            0 => match self.run() {
                Some(leg) => Ok(leg),
                None => {
                    let refused = self.refused()?;
                    self.wait(refused)
                }
            },
            count => Ok(Leg::Sending {
                from: self.now,
                last: self.now,
                count,
            }),
        }
    }

    /// The zone that the policy thinks in.
    pub(super) fn zone(&self) -> Zone {
        let of_limit = |line: &Running<'_>| match line.limit.kind() {
            LimitKind::Calendar { zone, .. } if *zone != Zone::utc() => Some(zone.clone()),
            _ => None,
        };
        let hours = self.policy.hours_for(self.binding.lane);
        hours
            .map(|hours| hours.zone().clone())
            .or_else(|| self.lines.iter().find_map(of_limit))
            .unwrap_or_else(Zone::utc)
    }

    fn after_hours(&mut self) -> Result<Option<Deferral>, NoOpening> {
        if self.now < self.open_until {
            return Ok(None);
        }
        let closed = refusal::of_hours(&self.binding, self.policy, self.now)?;
        if closed.is_none() {
            let closes = self
                .binding
                .hours(self.policy)
                .filter_map(|hours| hours.closes(self.now));
            self.open_until = closes.min().unwrap_or(DateTime::<Utc>::MAX_UTC);
        }
        Ok(closed)
    }

    /// Takes what is free at this instant.
    fn burst(&mut self) -> u64 {
        let now = Micros::from(self.now);
        let mut room = self.left;
        for line in &mut self.lines {
            line.counter.roll(line.limit, now);
            room = room.min(u64::from(line.counter.free(now, line.allowance)));
        }
        // A limit frees at most a u32 at a time; without any, the number is not used.
        let taken = u32::try_from(room).unwrap_or(u32::MAX);
        for line in &mut self.lines {
            line.counter.take(taken, now, line.allowance);
        }
        self.left -= room;
        room
    }

    /// Goes on at the speed of a pace while nothing else changes, within one hour.
    fn run(&mut self) -> Option<Leg> {
        let hour = self.now.duration_trunc(TimeDelta::hours(1)).ok()?;
        let until = later(hour, TimeDelta::hours(1)).min(self.open_until);
        let most = u32::try_from(self.left).unwrap_or(u32::MAX);
        let run = run(&mut self.lines, most, self.now.into(), until.into())?;
        let from = self.now;
        self.left -= u64::from(run.tokens);
        self.now = run.last.into();
        Some(Leg::Sending {
            from,
            last: self.now,
            count: run.tokens.into(),
        })
    }

    /// The deferral of who finds no token: as the store would set it.
    fn refused(&self) -> Result<Deferral, NoOpening> {
        let bounds: Vec<Bound<'_>> = self
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| Bound {
                line: index,
                limit: line.limit,
                counter: &line.counter,
                allowance: line.allowance,
            })
            .collect();
        let (line, reason, retry_at) = match decide(&bounds, 1, self.now.into()) {
            Decision::Refused {
                line,
                reason,
                retry_at,
            } => (line, reason, retry_at),
            Decision::Granted { .. } => (0, "limit_closed", Some(self.now.into())),
        };
        let per = self
            .lines
            .get(line)
            .map_or_else(Default::default, |line| line.limit.per());
        let refusal = Refusal {
            scope: self.binding.scope(per),
            reason: Reason::from(reason.to_owned()),
            retry_at: retry_at.map(DateTime::from),
        };
        refusal::of_limits(&self.binding, self.policy, &refusal, self.now)
    }

    fn wait(&mut self, deferral: Deferral) -> Result<Leg, Ending> {
        match deferral.until {
            // Beyond the years in which limits reckon, time stands still.
            Some(until) if until <= self.now => return Err(self.too_long()),
            Some(until) => self.now = until,
            None => self.closed = true,
        }
        Ok(Leg::Waiting(deferral))
    }

    fn too_long(&self) -> Ending {
        Ending::TooLong {
            followed_until: self.now.min(self.end),
        }
    }
}

/// A campaign without rules of its own.
fn binding() -> Binding {
    Binding {
        stream: StreamId::from(&"forecast".parse().expect("letters are a campaign's id")),
        lane: Lane::Bulk,
        relay: RelayName::DEFAULT.parse().expect("it is a relay's name"),
        sender: "a@mailer.example".parse().expect("it is an address"),
        limits: Vec::new(),
        hours: None,
    }
}

fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// What a few seconds suffice for: a forecast ends also where single mails are weeks of steps.
const MOST_LEGS: u32 = 5_000_000;
