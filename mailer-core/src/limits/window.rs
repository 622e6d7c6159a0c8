//! The windows of calendar limits.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::Micros;
use super::micros::{MILLISECOND, MINUTE, SECOND};
use crate::calendar::Zone;
use crate::domain::Unit;

/// The stretch of time `[start, end)` that a calendar limit counts as one.
///
/// The windows of a unit and zone tile time: every instant lies in exactly one. A day begins at the first instant that
/// shows its date or a later one, so that windows stay whole where clocks change, skip a date, or run one twice.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use mailer_core::{calendar::Zone, domain::Unit, limits::Window};
///
/// let at: DateTime<Utc> = "2026-11-24T09:05:00Z".parse()?;
/// let moscow: Zone = "Europe/Moscow".parse()?;
/// let day = Window::of(Unit::Day, &moscow, at.into());
/// assert_eq!(DateTime::from(day.start), "2026-11-23T21:00:00Z".parse::<DateTime<Utc>>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a window is its two ends")]
pub struct Window {
    /// The first instant in it.
    pub start: Micros,
    /// The first instant after it.
    pub end: Micros,
}

impl Window {
    /// The window of this unit and zone that `at` lies in. Minutes and hours are UTC's, whatever the zone.
    #[must_use]
    pub fn of(unit: Unit, zone: &Zone, at: Micros) -> Self {
        match unit {
            Unit::Minute => Self::on_grid(MINUTE, at),
            Unit::Hour => Self::on_grid(60 * MINUTE, at),
            Unit::Day | Unit::Week | Unit::Month => {
                let (first, next) = dates(unit, zone, at);
                Self {
                    start: instant(zone.day_start(first)),
                    end: instant(zone.day_start(next)),
                }
            }
        }
    }

    /// Whether `at` lies in it.
    #[must_use]
    pub fn contains(self, at: Micros) -> bool {
        self.start <= at && at < self.end
    }

    /// From here on nothing more is granted in this window: what begins later may reach the relay in the next one.
    pub(super) fn last_call(self) -> Micros {
        self.end + -GUARD
    }

    /// Until here the counter is kept, lest a clock that is set back finds the window fresh.
    pub(super) fn forgotten_at(self) -> Micros {
        self.end + grace(self.end - self.start)
    }

    fn on_grid(length: i64, at: Micros) -> Self {
        let start = Micros::new(at.get() - at.get().rem_euclid(length));
        Self {
            start,
            end: start + length,
        }
    }
}

/// The first date of the day, week or month that `at` is counted in, and the first date of the next.
pub(super) fn dates(unit: Unit, zone: &Zone, at: Micros) -> (Date, Date) {
    let day = day(zone, at);
    let (first, length) = match unit {
        Unit::Minute | Unit::Hour | Unit::Day => (day, Span::new().days(1)),
        Unit::Week => {
            let since_monday = i64::from(day.weekday().to_monday_zero_offset());
            let monday = day.checked_sub(Span::new().days(since_monday));
            (monday.unwrap_or(day), Span::new().days(7))
        }
        Unit::Month => (day.first_of_month(), Span::new().months(1)),
    };
    (first, first.checked_add(length).unwrap_or(Date::MAX))
}

/// How long the counter of a window of this length is kept after it has ended.
pub(super) fn grace(length: i64) -> i64 {
    (10 * MINUTE).max(length / 10)
}

/// The date on the wall, or a later one if that has begun: a clock set back over midnight shows a date twice.
fn day(zone: &Zone, at: Micros) -> Date {
    let at = timestamp(at);
    let mut day = zone.date(at);
    while let Ok(next) = day.tomorrow()
        && zone.day_start(next) <= at
    {
        day = next;
    }
    day
}

pub(super) fn timestamp(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at.get()).unwrap_or_default()
}

fn instant(at: Timestamp) -> Micros {
    Micros::new(at.as_microsecond())
}

/// No grant outlives this, whatever its limits: what is not used by then is better asked for anew.
pub(super) const LONGEST_HOLD: i64 = 5 * SECOND;

const GUARD: i64 = 250 * MILLISECOND;

#[cfg(test)]
mod tests;
