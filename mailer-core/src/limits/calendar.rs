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
    pub fn roll(&mut self, unit: Unit, zone: &Zone, now: Micros) {
        if self.present.window.contains(now) {
            return;
        }
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

    pub(super) fn use_by(&self, now: Micros) -> Micros {
        self.present.window.last_call().min(now + LONGEST_HOLD)
    }

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
