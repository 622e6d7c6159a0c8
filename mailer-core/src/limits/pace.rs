//! Even spacing.

use super::micros::{MILLISECOND, MINUTE, SECOND};
use super::run::Run;
use super::{Allowance, Micros};

/// How far a pace has run ahead of its clock: the leaky-bucket form of GCRA, exact in whole numbers.
///
/// A token adds `period` to the level, every microsecond takes `cap` off it; a token is free while the level has room
/// for it below `burst × period`, where the burst is 100 ms worth of tokens and at least 1. So no rate is rounded, and
/// a new cap acts at once.
///
/// With a steady clock at most `burst + cap × T ÷ period` tokens are granted in any time T. Each may be used for 1 s,
/// so at most `burst + cap × (T + 1 s) ÷ period` sends begin in any T.
///
/// `Bulk` with a reduced share sees a bucket that leaks, and holds, as little as its share; others the whole one.
///
/// A clock set back by at most 1 s is waited for. One set back further lets one token pass at once, then the pace goes
/// on: nobody waits longer than one interval and 1 s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    period: i64,
    at: Micros,
    level: i64,
}

impl Pace {
    pub(super) const fn new(period: i64, now: Micros) -> Self {
        Self {
            period,
            at: now,
            level: 0,
        }
    }

    /// Tokens free at `now`.
    #[must_use]
    pub fn free(&self, now: Micros, allowance: Allowance) -> u32 {
        if allowance.own() == 0 {
            return 0;
        }
        let room = self.brim(allowance.own()) - self.level(now, allowance);
        u32::try_from(room.max(0) / self.period).unwrap_or(u32::MAX)
    }

    /// Tokens that have not leaked away yet, begun ones as whole.
    #[must_use]
    pub fn used(&self, now: Micros, allowance: Allowance) -> u32 {
        let level = self.level(now, allowance);
        u32::try_from(ceil_div(level, self.period)).unwrap_or(u32::MAX)
    }

    pub(super) fn use_by(now: Micros) -> Micros {
        now + HOLD
    }

    pub(super) fn take(&mut self, granted: u32, now: Micros, allowance: Allowance) {
        // After a small step back the leak resumes where it had been, or the step would let extra tokens pass. Where
        // nothing is left to leak there is no such place: an empty pace is as one that was never used.
        let resumes = self.level > 0 && !self.set_back(now);
        self.level = self.level(now, allowance) + i64::from(granted) * self.period;
        self.at = if resumes { now.max(self.at) } else { now };
    }

    /// A token returns as far as it has not leaked away: the time in which it could have been used does not come again.
    pub(super) fn give_back(&mut self, returned: u32, granted_at: Micros, cap: u32) {
        if granted_at <= self.at {
            let leaked = (self.at - granted_at).saturating_mul(i64::from(cap));
            let added = i64::from(returned).saturating_mul(self.period);
            self.level -= added.saturating_sub(leaked).clamp(0, self.level);
        }
    }

    /// The first instant from `from` on at which a token is free if nobody acts; none if the lane may use none.
    pub(super) fn next_free(&self, from: Micros, allowance: Allowance) -> Option<Micros> {
        if allowance.own() == 0 {
            return None;
        }
        if self.free(from, allowance) > 0 {
            return Some(from);
        }
        let over = self.held(allowance) - (self.brim(allowance.own()) - self.period);
        Some(self.at + ceil_div(over, i64::from(allowance.own())))
    }

    /// Takes up to `most` tokens before `until`, each as soon as it is free. To be called where none is free.
    pub(super) fn run(&mut self, most: u32, until: Micros, allowance: Allowance) -> Option<Run> {
        let own = i128::from(allowance.own());
        let (held, period) = (i128::from(self.held(allowance)), i128::from(self.period));
        let spare = i128::from(self.brim(allowance.own())) - period;
        let time = i128::from(until - self.at - 1);
        if most == 0 || own == 0 || time < 0 {
            return None;
        }
        // The leak is never idle while there is room for more than one token, so no fraction of a microsecond is lost.
        // With room for one, each token waits for the last to have leaked away, and the leak for the next microsecond.
        let first = ceil(held - spare, own);
        let interval = ceil(period, own);
        let fit = if time < first {
            0
        } else if spare > 0 {
            (own * time - held + spare) / period + 1
        } else {
            (time - first) / interval + 1
        };
        let tokens = fit.min(i128::from(most));
        if tokens < 1 {
            return None;
        }
        let (elapsed, level) = if spare > 0 {
            let elapsed = ceil(held + (tokens - 1) * period - spare, own);
            (elapsed, held + tokens * period - own * elapsed)
        } else {
            (first + (tokens - 1) * interval, period)
        };
        self.level = i64::try_from(level).ok()?;
        self.at = self.at + i64::try_from(elapsed).ok()?;
        Some(Run {
            tokens: u32::try_from(tokens).ok()?,
            last: self.at,
        })
    }

    pub(super) fn forgotten_at(&self, cap: u32) -> Micros {
        self.at + ceil_div(self.level, i64::from(cap.max(1))) + 10 * MINUTE
    }

    fn level(&self, now: Micros, allowance: Allowance) -> i64 {
        let held = self.held(allowance);
        if self.set_back(now) {
            return held.min(self.brim(allowance.own()) - self.period);
        }
        let (own, since) = (i64::from(allowance.own()), (now - self.at).max(0));
        if own > 0 && since >= ceil_div(held, own) {
            0
        } else {
            held - own * since
        }
    }

    /// The level when it was last changed. One that a higher cap left behind counts no more than the cap of today holds.
    fn held(&self, allowance: Allowance) -> i64 {
        self.level.min(self.brim(allowance.cap()))
    }

    fn brim(&self, cap: u32) -> i64 {
        let burst = i64::from(cap) * BURST / self.period;
        burst.max(1) * self.period
    }

    fn set_back(&self, now: Micros) -> bool {
        now - self.at < -SMALL_STEP
    }
}

/// Of two whole numbers that are not negative, the divisor above 0.
const fn ceil_div(number: i64, by: i64) -> i64 {
    (number + by - 1) / by
}

/// Rounded up; the divisor is above 0.
const fn ceil(number: i128, by: i128) -> i128 {
    (number + by - 1).div_euclid(by)
}

const BURST: i64 = 100 * MILLISECOND;
const HOLD: i64 = SECOND;
const SMALL_STEP: i64 = SECOND;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Lane, Limit};

    fn pace(text: &str) -> (Pace, Limit, Allowance) {
        let limit: Limit = text.parse().unwrap();
        let whole = Allowance::whole(&limit);
        (Pace::new(SECOND, Micros::new(0)), limit, whole)
    }

    fn ms(millis: i64) -> Micros {
        Micros::new(millis * MILLISECOND)
    }

    #[test]
    fn the_burst_is_100_ms_worth_and_at_least_1() {
        for (text, burst) in [
            ("1/s pace", 1),
            ("14/s pace", 1),
            ("100/s pace", 10),
            ("0/s pace", 0),
        ] {
            let (pace, _, whole) = pace(text);
            assert_eq!(pace.free(ms(0), whole), burst, "{text}");
        }
    }

    #[test]
    fn tokens_are_free_one_interval_apart() {
        let (mut pace, _, whole) = pace("14/s pace");
        pace.take(1, ms(0), whole);
        assert_eq!(pace.next_free(ms(0), whole), Some(Micros::new(71_429)));
        assert_eq!(pace.free(Micros::new(71_428), whole), 0);
        assert_eq!(pace.free(Micros::new(71_429), whole), 1);
        assert_eq!(pace.used(Micros::new(71_428), whole), 1);
        assert_eq!(pace.used(Micros::new(71_429), whole), 0);
    }

    #[test]
    fn bulk_is_paced_by_its_share_and_the_others_by_the_whole() {
        let (mut pace, limit, whole) = pace("10/s pace");
        let bulk = Allowance::new(&limit, Lane::Bulk, 50);
        pace.take(1, ms(0), bulk);
        assert_eq!(pace.next_free(ms(0), bulk), Some(ms(200)));
        assert_eq!(pace.next_free(ms(0), whole), Some(ms(100)));
    }

    #[test]
    fn a_small_step_back_is_waited_for_and_frees_nothing() {
        let (mut pace, _, whole) = pace("100/s pace");
        pace.take(5, ms(0), whole);
        pace.take(pace.free(ms(-900), whole), ms(-900), whole);
        assert_eq!(pace.free(ms(0), whole), 0);
        assert_eq!(pace.next_free(ms(-900), whole), Some(ms(10)));
    }

    #[test]
    fn a_look_leaves_no_trace_that_a_step_back_finds() {
        let (mut pace, _, whole) = pace("14/s pace");
        pace.take(1, ms(-500), whole);
        assert_eq!(pace.next_free(ms(-500), whole), Some(Micros::new(-428_571)));
    }

    #[test]
    fn a_big_step_back_lets_one_pass_and_goes_on_from_there() {
        let (mut pace, _, whole) = pace("100/s pace");
        pace.take(10, ms(0), whole);
        assert_eq!(pace.free(ms(-5000), whole), 1);
        pace.take(1, ms(-5000), whole);
        assert_eq!(pace.next_free(ms(-5000), whole), Some(ms(-4990)));
    }

    #[test]
    fn a_token_returns_only_as_far_as_its_time_has_not_passed() {
        let (mut pace, limit, whole) = pace("1/s pace");
        pace.take(1, ms(0), whole);
        pace.take(1, ms(5000), whole);
        pace.give_back(1, ms(0), limit.cap());
        assert_eq!(pace.free(ms(5000), whole), 0);
        pace.give_back(1, ms(5000), limit.cap());
        assert_eq!(pace.free(ms(5000), whole), 1);
        pace.give_back(u32::MAX, ms(5000), limit.cap());
        assert_eq!(pace.free(ms(5000), whole), 1);
    }
}
