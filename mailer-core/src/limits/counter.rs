//! The state of one limit for one scope.

use super::window::LONGEST_HOLD;
use super::{Allowance, Calendar, Micros, Pace, Rolling, Window};
use crate::domain::{Limit, LimitKind};

/// What one limit has counted for one scope.
///
/// Every call must name a limit of the [identity](Limit::identity) it was made for; the cap may differ from call to
/// call. To grant: [`roll`](Self::roll), then [`decide`](super::decide()), then [`take`](Self::take).
///
/// ```
/// use mailer_core::domain::Limit;
/// use mailer_core::limits::{Allowance, Counter, Micros};
///
/// let limit: Limit = "3/minute".parse()?;
/// let (noon, whole) = (Micros::new(0), Allowance::whole(&limit));
/// let mut counter = Counter::new(&limit, noon);
/// assert_eq!(counter.free(noon, whole), 3);
/// counter.take(3, noon, whole);
/// assert_eq!(counter.next_free(&limit, noon, whole), Some(Micros::new(60_000_000)));
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one for each kind of limit")]
pub enum Counter {
    /// By calendar windows.
    Calendar(Calendar),
    /// By stretches of time.
    Rolling(Rolling),
    /// By even spacing.
    Pace(Pace),
}

impl Counter {
    /// The counter of a limit that has counted nothing.
    #[must_use]
    pub fn new(limit: &Limit, now: Micros) -> Self {
        match limit.kind() {
            LimitKind::Calendar { unit, zone } => Self::Calendar(Calendar::new(*unit, zone, now)),
            LimitKind::Rolling { window } => Self::Rolling(Rolling::new(micros(*window))),
            LimitKind::Pace { per } => Self::Pace(Pace::new(micros(per.length()), now)),
        }
    }

    /// Brings it to `now`. A comparison while a calendar window lasts, and nothing at all for other kinds.
    #[inline]
    pub fn roll(&mut self, limit: &Limit, now: Micros) {
        if let (Self::Calendar(calendar), LimitKind::Calendar { unit, zone }) = (self, limit.kind())
        {
            calendar.roll(*unit, zone, now);
        }
    }

    /// Tokens free at `now` for the lane of this allowance. [`roll`](Self::roll) first.
    #[must_use]
    #[inline]
    pub fn free(&self, now: Micros, allowance: Allowance) -> u32 {
        match self {
            Self::Calendar(calendar) => calendar.free(now, allowance),
            Self::Rolling(rolling) => rolling.free(now, allowance),
            Self::Pace(pace) => pace.free(now, allowance),
        }
    }

    /// When a token granted at `now` is void.
    ///
    /// Calendar: 250 ms before the window ends, or after 5 s. Rolling: after a twentieth of its window, 0.5 to 5 s.
    /// Pace: after 1 s.
    #[must_use]
    #[inline]
    pub fn use_by(&self, now: Micros) -> Micros {
        match self {
            Self::Calendar(calendar) => calendar.use_by(now),
            Self::Rolling(rolling) => rolling.use_by(now),
            Self::Pace(_) => Pace::use_by(now),
        }
    }

    /// Counts tokens as granted at `now`: no more than are [`free`](Self::free).
    #[inline]
    pub fn take(&mut self, granted: u32, now: Micros, allowance: Allowance) {
        match self {
            Self::Calendar(calendar) => calendar.take(granted),
            Self::Rolling(rolling) => rolling.take(granted, now),
            Self::Pace(pace) => pace.take(granted, now, allowance),
        }
    }

    /// Takes back tokens that were granted at `granted_at` and not used.
    ///
    /// Each returns to its own window or bucket, or not at all: what is gone by now, or never was counted there, changes nothing.
    pub fn give_back(&mut self, limit: &Limit, returned: u32, granted_at: Micros) {
        match self {
            Self::Calendar(calendar) => calendar.give_back(returned, granted_at),
            Self::Rolling(rolling) => rolling.give_back(returned, granted_at),
            Self::Pace(pace) => pace.give_back(returned, granted_at, limit.cap()),
        }
    }

    /// The first instant from `from` on at which a token is free if nobody else acts; none if the lane may use none.
    #[must_use]
    pub fn next_free(&self, limit: &Limit, from: Micros, allowance: Allowance) -> Option<Micros> {
        match (self, limit.kind()) {
            (Self::Calendar(calendar), LimitKind::Calendar { unit, zone }) => {
                calendar.next_free(*unit, zone, from, allowance)
            }
            (Self::Rolling(rolling), _) => rolling.next_free(from, allowance),
            (Self::Pace(pace), _) => pace.next_free(from, allowance),
            (Self::Calendar(_), LimitKind::Rolling { .. } | LimitKind::Pace { .. }) => None,
        }
    }

    /// Tokens that count at `now`.
    #[must_use]
    pub fn used(&self, limit: &Limit, now: Micros) -> u32 {
        match self {
            Self::Calendar(_) => self.window(limit, now).map_or(0, |(_, used)| used),
            Self::Rolling(rolling) => u32::try_from(rolling.used(now)).unwrap_or(u32::MAX),
            Self::Pace(pace) => pace.used(now, Allowance::whole(limit)),
        }
    }

    /// From here on it counts nothing and may be dropped. A clock set back by less than the grace (10 minutes, or a
    /// tenth of the window if that is longer) still finds it.
    #[must_use]
    pub fn forgotten_at(&self, limit: &Limit) -> Micros {
        match self {
            Self::Calendar(calendar) => calendar.forgotten_at(),
            Self::Rolling(rolling) => rolling.forgotten_at().unwrap_or(Micros::new(i64::MIN)),
            Self::Pace(pace) => pace.forgotten_at(limit.cap()),
        }
    }

    /// The calendar window that holds `at`, and what is counted in it.
    pub(super) fn window(&self, limit: &Limit, at: Micros) -> Option<(Window, u32)> {
        match (self, limit.kind()) {
            (Self::Calendar(calendar), LimitKind::Calendar { unit, zone }) => {
                Some(calendar.at(*unit, zone, at))
            }
            _ => None,
        }
    }
}

fn micros(length: std::time::Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// When a grant that no limit bounds is void.
pub(super) fn unbounded_use_by(now: Micros) -> Micros {
    now + LONGEST_HOLD
}
