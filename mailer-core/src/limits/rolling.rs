//! Counting any stretch of time of a given length.

use super::micros::SECOND;
use super::window::{LONGEST_HOLD, grace};
use super::{Allowance, Micros};

/// What a rolling limit has counted: tokens by the time they were last usable, in at most 128 buckets.
///
/// "Never more than N in any W": a token may be used until its `use_by`, so it is stamped with that, and counts for as
/// long as any instant of its bucket is less than W ago. So the answer may be N too early by one bucket (about a
/// hundredth of W) and the hold, and is never one send too high.
///
/// Nothing is forgotten while it may count. If the clock was set back by D, what was counted before counts for up to D
/// longer. Where more buckets are in use than fit, neighbours merge into the later one, which errs low as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    window: i64,
    buckets: Vec<Bucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    /// It holds the stamps from `index × width` on.
    index: i64,
    tokens: u32,
}

impl Rolling {
    pub(super) const fn new(window: i64) -> Self {
        Self {
            window,
            buckets: Vec::new(),
        }
    }

    /// Tokens free at `now`.
    #[must_use]
    pub fn free(&self, now: Micros, allowance: Allowance) -> u32 {
        let used = self.used(now).min(u64::from(allowance.own()));
        allowance.own() - u32::try_from(used).unwrap_or(u32::MAX)
    }

    /// Tokens that count at `now`.
    #[must_use]
    pub fn used(&self, now: Micros) -> u64 {
        let tokens = |bucket: &Bucket| u64::from(bucket.tokens);
        self.live(now).iter().map(tokens).sum()
    }

    pub(super) fn use_by(&self, now: Micros) -> Micros {
        now + hold(self.window)
    }

    pub(super) fn take(&mut self, granted: u32, now: Micros) {
        let index = self.index(now);
        match self.buckets.binary_search_by_key(&index, |b| b.index) {
            Ok(place) => {
                let bucket = &mut self.buckets[place];
                bucket.tokens = bucket.tokens.saturating_add(granted);
            }
            Err(place) => {
                let tokens = granted;
                self.buckets.insert(place, Bucket { index, tokens });
                if self.buckets.len() > MOST_BUCKETS {
                    self.merge(now);
                }
            }
        }
    }

    /// A token returns to the bucket it was stamped in.
    pub(super) fn give_back(&mut self, returned: u32, granted_at: Micros) {
        let index = self.index(granted_at);
        if let Ok(place) = self.buckets.binary_search_by_key(&index, |b| b.index) {
            let bucket = &mut self.buckets[place];
            bucket.tokens = bucket.tokens.saturating_sub(returned);
            if bucket.tokens == 0 {
                self.buckets.remove(place);
            }
        }
    }

    /// The first instant from `from` on at which a token is free if nobody acts; none if the lane may use none.
    pub(super) fn next_free(&self, from: Micros, allowance: Allowance) -> Option<Micros> {
        if allowance.own() == 0 {
            return None;
        }
        let mut used = self.used(from);
        let mut at = from;
        for bucket in self.live(from) {
            if used < u64::from(allowance.own()) {
                break;
            }
            used -= u64::from(bucket.tokens);
            at = self.freed_at(*bucket);
        }
        Some(at)
    }

    pub(super) fn forgotten_at(&self) -> Option<Micros> {
        let last = self.buckets.last()?;
        Some(self.freed_at(*last) + grace(self.window))
    }

    /// The buckets that count: all but the oldest ones.
    fn live(&self, now: Micros) -> &[Bucket] {
        let first = self.buckets.partition_point(|b| self.freed_at(*b) <= now);
        &self.buckets[first..]
    }

    /// The two oldest buckets if neither counts any more; else the two latest, which outlast all others anyway.
    fn merge(&mut self, now: Micros) {
        let expired = |bucket: &Bucket| self.freed_at(*bucket) <= now;
        let place = match self.buckets.get(1) {
            Some(second) if expired(second) => 0,
            _ => self.buckets.len() - 2,
        };
        let earlier = self.buckets.remove(place);
        let later = &mut self.buckets[place];
        later.tokens = later.tokens.saturating_add(earlier.tokens);
    }

    /// The first instant after `now` at which a token would be stamped in another bucket.
    pub(super) fn same_bucket_until(&self, now: Micros) -> Micros {
        Micros::new((self.index(now) + 1) * width(self.window)) + -hold(self.window)
    }

    fn index(&self, granted_at: Micros) -> i64 {
        self.use_by(granted_at).get().div_euclid(width(self.window))
    }

    fn freed_at(&self, bucket: Bucket) -> Micros {
        Micros::new((bucket.index + 1) * width(self.window) + self.window)
    }
}

/// How long a token may be used: a twentieth of the window, since for that long it counts twice, but time to use it.
fn hold(window: i64) -> i64 {
    (window / 20).clamp(SECOND / 2, LONGEST_HOLD)
}

/// A hundredth of the time that a token counts, rounded up.
fn width(window: i64) -> i64 {
    (window + hold(window) + 99) / 100
}

const MOST_BUCKETS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Limit;

    fn at(seconds: i64) -> Micros {
        Micros::new(seconds * SECOND)
    }

    fn hour() -> (Rolling, Allowance) {
        let limit: Limit = "300/60m rolling".parse().unwrap();
        (Rolling::new(3600 * SECOND), Allowance::whole(&limit))
    }

    #[test]
    fn a_token_counts_until_the_window_after_its_use_by() {
        let (mut hour, whole) = hour();
        hour.take(300, at(0));
        assert_eq!(hour.use_by(at(0)), at(5));
        let free_at = hour.next_free(at(0), whole).unwrap();
        assert!(at(3605) < free_at && free_at <= at(3605) + width(3600 * SECOND));
        assert_eq!(hour.free(free_at + -1, whole), 0);
        assert_eq!(hour.free(free_at, whole), 300);
    }

    #[test]
    fn a_token_returns_to_its_own_bucket() {
        let (mut hour, whole) = hour();
        hour.take(2, at(0));
        hour.take(3, at(600));
        hour.give_back(9, at(0));
        hour.give_back(1, at(1200));
        assert_eq!(hour.used(at(600)), 3);
        assert_eq!(hour.free(at(600), whole), 297);
    }

    #[test]
    fn buckets_are_few_and_yet_nothing_is_forgotten_that_counts() {
        let (mut hour, whole) = hour();
        for step in 0..1000 {
            hour.take(1, at(40 * step));
            assert!(hour.buckets.len() <= MOST_BUCKETS);
        }
        assert!((90..=93).contains(&hour.used(at(40 * 999))));
        // Set back to the start, all of it is in the last hour or later.
        assert_eq!(hour.used(at(0)), 1000);
        for step in 0..200 {
            hour.take(1, at(-40 * step));
            assert!(hour.buckets.len() <= MOST_BUCKETS);
        }
        assert_eq!(hour.used(at(-8000)), 1200);
        assert_eq!(hour.free(at(-8000), whole), 0);
    }

    #[test]
    fn short_windows_leave_half_a_second_to_use_a_token() {
        for (seconds, held) in [
            (1, 500_000),
            (10, 500_000),
            (60, 3 * SECOND),
            (600, 5 * SECOND),
        ] {
            let rolling = Rolling::new(seconds * SECOND);
            assert_eq!(rolling.use_by(at(0)), Micros::new(held));
        }
    }
}
