//! What can be wrong with a calendar, and what to write instead.

use std::fmt;

use chrono::NaiveDate;

use super::ZoneError;

/// Everything that is wrong with a calendar as it was written.
///
/// ```
/// use mailer_core::calendar::WorkCalendar;
///
/// let error = WorkCalendar::parse("Mon-Fri 09:00-25:00,Someday 10:00-14:00", "Mars/Olympus").unwrap_err();
/// assert_eq!(error.faults().len(), 3);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarError {
    faults: Vec<CalendarFault>,
}

/// One thing wrong with a calendar: the value, and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarFault {
    /// Nothing was written where hours belong.
    #[error("no hours given: write them as in Mon-Fri 09:00-18:00, or write always or never")]
    NoHours,
    /// Two commas in a row, or one at an end.
    #[error("nothing between two commas or at an end of {0:?}: remove the extra comma")]
    EmptyPart(String),
    /// Days without hours.
    #[error("{0:?} has no hours: a part is days and then hours, as in Mon-Fri 09:00-18:00")]
    DaysOnly(String),
    /// `always` or `never` beside something else.
    #[error("{0:?} is not the whole text: always and never stand alone")]
    NotAlone(String),
    /// A day that does not exist.
    #[error("unknown day {0:?}: write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily")]
    UnknownDay(String),
    /// A range of days that is not two different days.
    #[error("{0:?} is no range of days: write the first and the last one, as in Mon-Fri")]
    DayRange(String),
    /// Hours that are not two times with a dash.
    #[error("{0:?} is no window of hours: write HH:MM-HH:MM, several with spaces between them")]
    Window(String),
    /// A time that no clock shows.
    #[error(
        "{0:?} is no time of day: write HH:MM, two digits each, from 00:00 to 23:59 (24:00 as an end)"
    )]
    Time(String),
    /// 24:00 as the start of a window.
    #[error("{0:?} starts at 24:00, which can only end a window: start the next day at 00:00")]
    StartsAtDaysEnd(String),
    /// A window that ends where it starts.
    #[error("{0:?} ends where it starts: write 00:00-24:00 for a whole day")]
    EmptyWindow(String),
    /// A zone that is not known.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// A date that does not exist.
    #[error("{0:?} is no date: write YYYY-MM-DD")]
    Date(String),
    /// A date that is a holiday and has hours of its own too.
    #[error("{0} is both a holiday and a special day: keep one of the two")]
    HolidayWithHours(NaiveDate),
    /// A date that was given different hours before.
    #[error("{0} is a special day twice, with different hours: keep one of the two")]
    SpecialDayTwice(NaiveDate),
}

impl CalendarError {
    /// Every fault, in the order of reading; there is at least one.
    #[must_use]
    pub fn faults(&self) -> &[CalendarFault] {
        &self.faults
    }

    pub(super) fn refuse_any(faults: Vec<CalendarFault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        Err(Self { faults })
    }
}

impl From<CalendarFault> for CalendarError {
    fn from(fault: CalendarFault) -> Self {
        Self {
            faults: vec![fault],
        }
    }
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("work calendar: ")?;
        for (position, fault) in self.faults.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CalendarError {}
