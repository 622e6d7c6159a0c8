//! The questions a calendar answers: open at this instant, open again when, open until when.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use super::WorkCalendar;
use super::spans;

/// A calendar that does not open as far ahead as it was searched.
///
/// This is an answer, not a fault of the calendar: one that is `never` open, or has run out of special days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work calendar does not open before {}", searched_until.to_rfc3339())]
#[non_exhaustive]
pub struct NoOpening {
    /// The first instant that was not looked at.
    pub searched_until: DateTime<Utc>,
}

/// Hours are compared with what the clock on the zone's wall reads. So where the clock goes back, both passes of a
/// repeated hour count, and where it skips, a window that starts inside the gap opens at the jump, and one wholly
/// inside does not open that day.
impl WorkCalendar {
    /// How far ahead [`next_open`](Self::next_open) and [`closes`](Self::closes) look: 400 days.
    pub const HORIZON: TimeDelta = TimeDelta::days(400);

    /// Whether mail may begin at this instant.
    #[must_use]
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        spans::is_open(self.openings(), self.zone(), at.timestamp())
    }

    /// The first open instant from `at` on: `at` itself if it is open.
    ///
    /// ```
    /// use chrono::{DateTime, Utc};
    /// use mailer_core::calendar::WorkCalendar;
    ///
    /// let calendar = WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Moscow")?;
    /// let friday_evening: DateTime<Utc> = "2025-06-06T15:30:00Z".parse()?;
    /// assert_eq!(calendar.next_open(friday_evening)?, "2025-06-09T06:00:00Z".parse::<DateTime<Utc>>()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Nothing opens within [`HORIZON`](Self::HORIZON) of `at`.
    pub fn next_open(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, NoOpening> {
        self.next_open_within(at, Self::HORIZON)
    }

    /// The first closed instant after `at`, or, when `at` is closed already, after the next opening.
    ///
    /// `None` if the calendar does not open within [`HORIZON`](Self::HORIZON) of `at`, or once open does not close
    /// within as much again.
    ///
    /// ```
    /// use chrono::{DateTime, Utc};
    /// use mailer_core::calendar::WorkCalendar;
    ///
    /// let calendar = WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Moscow")?;
    /// let monday_noon: DateTime<Utc> = "2025-06-02T09:00:00Z".parse()?;
    /// assert_eq!(calendar.closes(monday_noon), Some("2025-06-02T15:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn closes(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.closes_within(at, Self::HORIZON)
    }

    pub(super) fn next_open_within(
        &self,
        at: DateTime<Utc>,
        horizon: TimeDelta,
    ) -> Result<DateTime<Utc>, NoOpening> {
        if self.is_open(at) {
            return Ok(at);
        }
        let until = later(at, horizon);
        // Hours change on whole seconds, so no opening hides in the second that `at` lies in.
        let found = spans::first_open(
            self.openings(),
            self.zone(),
            at.timestamp(),
            until.timestamp(),
        )
        .and_then(|second| DateTime::from_timestamp(second, 0));
        found.ok_or(NoOpening {
            searched_until: until,
        })
    }

    pub(super) fn closes_within(
        &self,
        at: DateTime<Utc>,
        horizon: TimeDelta,
    ) -> Option<DateTime<Utc>> {
        let opening = self.next_open_within(at, horizon).ok()?;
        let until = later(opening, horizon);
        let second = spans::first_closed(
            self.openings(),
            self.zone(),
            opening.timestamp(),
            until.timestamp(),
        )?;
        DateTime::from_timestamp(second, 0)
    }
}

/// On a whole second, since that is all the search looks at.
fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    let until = at
        .checked_add_signed(by)
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    until.trunc_subsecs(0)
}
