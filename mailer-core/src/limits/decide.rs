//! One answer for one demand over several limits.

use super::counter::unbounded_use_by;
use super::{Allowance, Counter, Micros};
use crate::domain::Limit;

/// One limit that a demand must pass: with its counter, [rolled](Counter::roll) to the instant of the demand.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Bound<'a> {
    /// Its place in the demand, by which the decision names it.
    pub line: usize,
    /// The limit.
    pub limit: &'a Limit,
    /// What it has counted.
    pub counter: &'a Counter,
    /// How much of it the demanding lane may use.
    pub allowance: Allowance,
}

/// The answer to one demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers match both answers")]
pub enum Decision {
    /// That many tokens, the same number of every limit.
    Granted {
        /// How many: at most the demand, and 0 only if the demand was for 0.
        granted: u32,
        /// When the tokens are void: to be used before, or given back.
        use_by: Micros,
        /// If it is less than the demand: the line whose limit had the least room.
        bound_by: Option<usize>,
        /// If it is less than the demand: the first instant at which one more can be had, if nobody else acts. None then
        /// as well if that is never.
        retry_at: Option<Micros>,
    },
    /// Nothing, and nothing has changed.
    Refused {
        /// The line whose limit refuses for longest.
        line: usize,
        /// The stable code of the reason.
        reason: &'static str,
        /// The first instant at which all limits have a token, if nobody else acts; none if one of them is closed.
        retry_at: Option<Micros>,
    },
}

/// Answers a demand for `n` tokens at `now`: the most that all limits have free, up to `n`, from each the same.
///
/// Changes nothing: the caller then takes what was granted from every counter, before anybody else decides.
///
/// ```
/// use mailer_core::domain::Limit;
/// use mailer_core::limits::{Allowance, Bound, Counter, Decision, Micros, decide};
///
/// let limit: Limit = "3/minute".parse()?;
/// let counter = Counter::new(&limit, Micros::new(0));
/// let bound = Bound { line: 0, limit: &limit, counter: &counter, allowance: Allowance::whole(&limit) };
/// let Decision::Granted { granted, .. } = decide(&[bound], 5, Micros::new(0)) else { panic!("refused") };
/// assert_eq!(granted, 3);
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[must_use]
#[inline]
pub fn decide(bounds: &[Bound<'_>], n: u32, now: Micros) -> Decision {
    let mut room = u32::MAX;
    let mut use_by = unbounded_use_by(now);
    let mut narrowest = None;
    for bound in bounds {
        let free = bound.counter.free(now, bound.allowance);
        if free < room {
            room = free;
            narrowest = Some(bound.line);
        }
        use_by = use_by.min(bound.counter.use_by(now));
    }
    if room == 0 {
        return refuse(bounds, now);
    }
    if room >= n {
        return Decision::Granted {
            granted: n,
            use_by,
            bound_by: None,
            retry_at: None,
        };
    }
    Decision::Granted {
        granted: room,
        use_by,
        bound_by: narrowest,
        retry_at: one_more(bounds, room, now),
    }
}

#[cold]
fn refuse(bounds: &[Bound<'_>], now: Micros) -> Decision {
    // None is never, and so later than any instant.
    let wait = |bound: &&Bound<'_>| {
        let free_at = bound.next_free(now);
        (free_at.is_none(), free_at)
    };
    let refusing = |bound: &&Bound<'_>| bound.counter.free(now, bound.allowance) == 0;
    let longest = bounds.iter().filter(refusing).max_by_key(wait);
    Decision::Refused {
        line: longest.map_or(0, |bound| bound.line),
        reason: longest.map_or("limit_closed", |bound| {
            bound.limit.kind().reason_code(bound.limit.cap())
        }),
        retry_at: all_free(bounds, now),
    }
}

#[cold]
fn one_more(bounds: &[Bound<'_>], taken: u32, now: Micros) -> Option<Micros> {
    let after = |bound: &Bound<'_>| {
        let mut counter = bound.counter.clone();
        counter.take(taken, now, bound.allowance);
        counter
    };
    let counters: Vec<Counter> = bounds.iter().map(after).collect();
    let bounds: Vec<Bound<'_>> = bounds
        .iter()
        .zip(&counters)
        .map(|(bound, counter)| Bound { counter, ..*bound })
        .collect();
    all_free(&bounds, now)
}

/// The first instant at which all have a token: one limit's wait may end where another has just closed.
fn all_free(bounds: &[Bound<'_>], now: Micros) -> Option<Micros> {
    let mut at = now;
    for _ in 0..MOST_ROUNDS {
        let before = at;
        for bound in bounds {
            at = bound.next_free(at)?;
        }
        if at == before {
            break;
        }
    }
    Some(at)
}

impl Bound<'_> {
    fn next_free(&self, from: Micros) -> Option<Micros> {
        self.counter.next_free(self.limit, from, self.allowance)
    }
}

/// A wait passes each full window once, so a handful do; a demand of very many limits may be told an instant too early.
const MOST_ROUNDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(seconds: i64) -> Micros {
        Micros::new(seconds * SECOND)
    }

    /// Decides over these limits, each with so many tokens already taken.
    fn check(limits: &[(&str, u32)], n: u32, now: Micros, expected: Decision) {
        let limits: Vec<(Limit, u32)> = limits
            .iter()
            .map(|&(text, used)| (text.parse().unwrap(), used))
            .collect();
        let counter = |(limit, used): &(Limit, u32)| {
            let mut counter = Counter::new(limit, now);
            counter.take(*used, now, Allowance::whole(limit));
            counter
        };
        let counters: Vec<Counter> = limits.iter().map(counter).collect();
        let bounds: Vec<Bound<'_>> = limits
            .iter()
            .zip(&counters)
            .enumerate()
            .map(|(line, ((limit, _), counter))| Bound {
                line,
                limit,
                counter,
                allowance: Allowance::whole(limit),
            })
            .collect();
        assert_eq!(decide(&bounds, n, now), expected);
    }

    fn refused(line: usize, reason: &'static str, retry_at: Option<Micros>) -> Decision {
        Decision::Refused {
            line,
            reason,
            retry_at,
        }
    }

    #[test]
    fn the_refusal_names_the_limit_that_refuses_for_longest() {
        let both = [("5/hour", 5), ("5/minute", 5), ("5/day", 0)];
        check(&both, 1, at(0), refused(0, "rate_per_hour", Some(at(3600))));
        let closed = [("0/minute", 0), ("5/day", 5)];
        check(&closed, 1, at(0), refused(0, "limit_closed", None));
    }

    #[test]
    fn a_grant_is_void_at_the_earliest_of_its_limits() {
        let limits = [("5/hour", 0), ("5/minute", 0), ("9/s pace", 0)];
        for (now, use_by) in [(0, at(1)), (59, Micros::new(59_750_000))] {
            let granted = Decision::Granted {
                granted: 1,
                use_by,
                bound_by: None,
                retry_at: None,
            };
            check(&limits, 1, at(now), granted);
        }
    }

    #[test]
    fn a_part_tells_what_bound_it_and_when_there_is_more() {
        let part = Decision::Granted {
            granted: 2,
            use_by: at(5),
            bound_by: Some(1),
            retry_at: Some(at(60)),
        };
        check(&[("5/hour", 0), ("5/minute", 3)], 4, at(0), part);
    }

    #[test]
    fn a_demand_for_nothing_tells_whether_there_is_something() {
        let nothing = Decision::Granted {
            granted: 0,
            use_by: at(5),
            bound_by: None,
            retry_at: None,
        };
        check(&[("5/minute", 4)], 0, at(0), nothing);
        let full = refused(0, "rate_per_minute", Some(at(60)));
        check(&[("5/minute", 5)], 0, at(0), full);
    }
}
