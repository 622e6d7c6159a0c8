//! Counting by calendar windows.

use super::window::{LONGEST_HOLD, Window};
use super::{Allowance, Micros};
use crate::calendar::Zone;
use crate::domain::Unit;

/// What a calendar limit has counted: the window of the present, and those that ended not long ago.
///
/// The ended ones stay, so that a clock set back over a boundary finds them as full as they were. Where the clock was
/// set back, windows of the future are among them too.
///
/// No window is computed while `now` stays in the present one: [`roll`](Self::roll) is then a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    present: Tally,
    others: Vec<Tally>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tally {
    window: Window,
    used: u32,
}

impl Calendar {
    pub(super) fn new(unit: Unit, zone: &Zone, now: Micros) -> Self {
        Self {
            present: Tally::empty(Window::of(unit, zone, now)),
            others: Vec::new(),
        }
    }

    /// Makes the window that holds `now` the present one, fresh or as it was left.
    #[inline]
    pub fn roll(&mut self, unit: Unit, zone: &Zone, now: Micros) {
        if !self.present.window.contains(now) {
            self.turn(unit, zone, now);
        }
    }

    /// Tokens free at `now`; 0 in the last 250 ms of a window, and where `now` is not in the present window.
    #[must_use]
    #[inline]
    pub fn free(&self, now: Micros, allowance: Allowance) -> u32 {
        let Tally { window, used } = self.present;
        if window.start <= now && now < window.last_call() {
            allowance.own().saturating_sub(used)
        } else {
            0
        }
    }

    #[inline]
    pub(super) fn use_by(&self, now: Micros) -> Micros {
        self.present.window.last_call().min(now + LONGEST_HOLD)
    }

    #[inline]
    pub(super) fn take(&mut self, granted: u32) {
        self.present.used = self.present.used.saturating_add(granted);
    }

    /// A token returns to the window it was granted in, and to no other.
    pub(super) fn give_back(&mut self, returned: u32, granted_at: Micros) {
        let mut tallies = std::iter::once(&mut self.present).chain(&mut self.others);
        if let Some(tally) = tallies.find(|tally| tally.window.contains(granted_at)) {
            tally.used = tally.used.saturating_sub(returned);
        }
    }

    /// The first instant from `from` on at which a token is free if nobody acts; none if the lane may use none.
    pub(super) fn next_free(
        &self,
        unit: Unit,
        zone: &Zone,
        from: Micros,
        allowance: Allowance,
    ) -> Option<Micros> {
        if allowance.own() == 0 {
            return None;
        }
        let mut at = from;
        // Only counted windows can be full, and each is passed once.
        for _ in 0..self.others.len() + 2 {
            let tally = self.tally(unit, zone, at);
            if tally.used < allowance.own() && at < tally.window.last_call() {
                break;
            }
            at = tally.window.end;
        }
        Some(at)
    }

    /// The window that holds `at`, and what is counted in it.
    pub(super) fn at(&self, unit: Unit, zone: &Zone, at: Micros) -> (Window, u32) {
        let tally = self.tally(unit, zone, at);
        (tally.window, tally.used)
    }

    pub(super) fn forgotten_at(&self) -> Micros {
        self.tallies()
            .map(|tally| tally.window.forgotten_at())
            .fold(self.present.window.forgotten_at(), Micros::max)
    }

    #[cold]
    fn turn(&mut self, unit: Unit, zone: &Zone, now: Micros) {
        self.others
            .retain(|tally| now < tally.window.forgotten_at());
        let known = self
            .others
            .iter()
            .position(|tally| tally.window.contains(now));
        match known {
            Some(index) => std::mem::swap(&mut self.present, &mut self.others[index]),
            None => {
                let fresh = Tally::empty(Window::of(unit, zone, now));
                let left = std::mem::replace(&mut self.present, fresh);
                if now < left.window.forgotten_at() && left.used > 0 {
                    self.others.push(left);
                }
            }
        }
    }

    fn tally(&self, unit: Unit, zone: &Zone, at: Micros) -> Tally {
        self.tallies()
            .find(|tally| tally.window.contains(at))
            .copied()
            .unwrap_or_else(|| Tally::empty(Window::of(unit, zone, at)))
    }

    fn tallies(&self) -> impl Iterator<Item = &Tally> {
        std::iter::once(&self.present).chain(&self.others)
    }
}

impl Tally {
    const fn empty(window: Window) -> Self {
        Self { window, used: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Counter;
    use super::*;
    use crate::domain::Limit;

    const SECOND: i64 = 1_000_000;
    const MINUTE: i64 = 60 * SECOND;

    fn at(seconds: i64) -> Micros {
        Micros::new(seconds * SECOND)
    }

    fn full(limit: &Limit, now: Micros) -> Counter {
        let mut counter = Counter::new(limit, now);
        counter.take(limit.cap(), now, Allowance::whole(limit));
        counter
    }

    fn minute() -> (Limit, Allowance) {
        let limit: Limit = "3/minute".parse().unwrap();
        let whole = Allowance::whole(&limit);
        (limit, whole)
    }

    #[test]
    fn the_last_quarter_second_grants_nothing() {
        let (limit, whole) = minute();
        let counter = Counter::new(&limit, at(0));
        let last_call = Micros::new(MINUTE - 250_000);
        assert_eq!(counter.free(last_call + -1, whole), 3);
        assert_eq!(counter.use_by(last_call + -1), last_call);
        assert_eq!(counter.free(last_call, whole), 0);
        assert_eq!(counter.next_free(&limit, last_call, whole), Some(at(60)));
    }

    #[test]
    fn a_token_returns_to_its_own_window_alone() {
        let (limit, whole) = minute();
        let mut counter = full(&limit, at(0));
        counter.roll(&limit, at(60));
        counter.take(2, at(60), whole);
        counter.give_back(&limit, 2, at(0));
        counter.give_back(&limit, 9, at(600));
        assert_eq!(counter.free(at(60), whole), 1);
        counter.give_back(&limit, 9, at(60));
        assert_eq!(counter.free(at(60), whole), 3);
        counter.roll(&limit, at(0));
        assert_eq!(counter.free(at(0), whole), 2);
    }

    #[test]
    fn a_clock_set_back_over_a_boundary_finds_the_window_full() {
        let (limit, whole) = minute();
        let mut counter = full(&limit, at(59));
        counter.roll(&limit, at(61));
        counter.take(3, at(61), whole);
        counter.roll(&limit, at(59));
        assert_eq!(counter.free(at(59), whole), 0);
        assert_eq!(counter.next_free(&limit, at(59), whole), Some(at(120)));
    }

    #[test]
    fn ended_windows_are_kept_for_their_grace() {
        let (limit, _) = minute();
        let mut counter = full(&limit, at(0));
        counter.roll(&limit, at(659));
        assert_eq!(counter.used(&limit, at(0)), 3);
        counter.roll(&limit, at(660));
        assert_eq!(counter.used(&limit, at(0)), 0);
    }

    #[test]
    fn a_new_cap_acts_on_what_is_counted() {
        let (limit, whole) = minute();
        let counter = full(&limit, at(0));
        assert_eq!(
            counter.free(at(1), Allowance::whole(&limit.clone().with_cap(5))),
            2
        );
        assert_eq!(counter.free(at(1), Allowance::whole(&limit.with_cap(2))), 0);
        assert_eq!(counter.free(at(1), whole), 0);
    }
}
