//! The working hours of a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::fault::{CalendarError, CalendarFault};
use super::form::Form;
use super::hours::Hours;
use super::openings::{DayOpenings, DayPlan, Openings, weekday};
use super::week::Week;
use super::{Zone, ZoneError};

/// When mail may begin: the hours of a week in a time zone, holidays, and days with hours of their own.
///
/// ```
/// use chrono::{DateTime, NaiveDate, Utc};
/// use mailer_core::calendar::WorkCalendar;
///
/// let russia_day = NaiveDate::from_ymd_opt(2025, 6, 12).unwrap();
/// let calendar = WorkCalendar::parse("Mon-Fri 09:00-18:00,Sat 10:00-14:00", "Europe/Moscow")?
///     .holiday(russia_day)?;
///
/// let wednesday_night: DateTime<Utc> = "2025-06-11T20:00:00Z".parse()?;
/// assert!(!calendar.is_open(wednesday_night));
/// assert_eq!(calendar.next_open(wednesday_night)?.to_rfc3339(), "2025-06-13T06:00:00+00:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The text form of the hours is described at [`parse`](Self::parse). Two calendars are equal when they are written
/// alike: the same windows on the same days, in the same zone, with the same exceptions. In JSON a calendar is
///
/// ```
/// # let json = r#"
/// {"hours": "Mon-Fri 09:00-18:00", "zone": "Europe/Moscow",
///  "holidays": ["2025-06-12"], "overrides": {"2025-11-01": "09:00-17:00"}}
/// # "#;
/// # serde_json::from_str::<mailer_core::calendar::WorkCalendar>(json)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// and reading one back checks everything that building one checks. The zone's rules are those known when the
/// calendar was built: keep what a calendar answered together with why it was asked, and ask again in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct WorkCalendar {
    zone: Zone,
    week: Week,
    holidays: BTreeSet<NaiveDate>,
    special_days: BTreeMap<NaiveDate, Hours>,
    openings: Openings,
}

impl WorkCalendar {
    /// Reads the hours of a week, in the zone of this IANA name.
    ///
    /// Hours are parts with commas between them. A part is days, then windows with spaces between them: one day
    /// (`Sat`), a range (`Mon-Fri`, over the week's end too: `Sat-Mon`) or `daily`. A day may stand in several parts,
    /// and its windows add up. Alone stand `always` (round the clock) and `never` (special days only).
    ///
    /// A window `HH:MM-HH:MM` is open from its start to just before its end. The end may be `24:00`; an end before the
    /// start is one on the next day, and the window belongs to the day it starts on.
    ///
    /// ```
    /// use mailer_core::calendar::WorkCalendar;
    ///
    /// let shop = WorkCalendar::parse("Mon-Fri 09:00-13:00 14:00-18:00,Sat 10:00-14:00", "Europe/Moscow")?;
    /// assert_eq!(shop.hours(), "Mon-Fri 09:00-13:00 14:00-18:00,Sat 10:00-14:00");
    ///
    /// let nights = WorkCalendar::parse("daily 22:00-06:00", "Asia/Calcutta")?;
    /// assert_eq!(nights.zone().name(), "Asia/Calcutta");
    /// # Ok::<(), mailer_core::calendar::CalendarError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Everything wrong with the hours and the zone, all at once.
    pub fn parse(hours: &str, zone: &str) -> Result<Self, CalendarError> {
        let mut faults = Vec::new();
        let calendar = Self::read(hours, zone, &mut faults);
        CalendarError::refuse_any(faults)?;
        Ok(calendar)
    }

    /// As `parse`, with something harmless in the place of every fault.
    pub(super) fn read(hours: &str, zone: &str, faults: &mut Vec<CalendarFault>) -> Self {
        let week = Week::parse(hours, faults);
        let zone = zone.parse().unwrap_or_else(|fault: ZoneError| {
            faults.push(fault.into());
            Zone::utc()
        });
        Self {
            openings: Openings::of_week(&week),
            zone,
            week,
            holidays: BTreeSet::new(),
            special_days: BTreeMap::new(),
        }
    }

    /// Closes a whole date, and the night windows that would start on it.
    ///
    /// A night window of the day before ends at the holiday's midnight.
    ///
    /// # Errors
    ///
    /// The date is a special day already.
    pub fn holiday(self, date: NaiveDate) -> Result<Self, CalendarError> {
        self.holidays([date])
    }

    /// Closes several dates as [`holiday`](Self::holiday) does.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use mailer_core::calendar::WorkCalendar;
    ///
    /// let new_year = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    /// let calendar = WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Moscow")?
    ///     .holidays(new_year.iter_days().take(8))?;
    /// # Ok::<(), mailer_core::calendar::CalendarError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every one of the dates that is a special day already.
    pub fn holidays(
        mut self,
        dates: impl IntoIterator<Item = NaiveDate>,
    ) -> Result<Self, CalendarError> {
        let mut faults = Vec::new();
        for date in dates {
            self.add_holiday(date, &mut faults);
        }
        CalendarError::refuse_any(faults)?;
        Ok(self)
    }

    pub(super) fn add_holiday(&mut self, date: NaiveDate, faults: &mut Vec<CalendarFault>) {
        if self.special_days.contains_key(&date) {
            faults.push(CalendarFault::HolidayWithHours(date));
        } else if self.holidays.insert(date) {
            self.note_exception(date);
        }
    }

    /// Gives a date hours of its own in place of its weekday's: windows with spaces between them, `always` or `never`.
    ///
    /// Unlike a holiday, a special day that is `never` open keeps the rest of the night before.
    ///
    /// ```
    /// use chrono::{DateTime, NaiveDate, Utc};
    /// use mailer_core::calendar::WorkCalendar;
    ///
    /// let working_saturday = NaiveDate::from_ymd_opt(2025, 11, 1).unwrap();
    /// let calendar = WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Moscow")?
    ///     .special_day(working_saturday, "09:00-17:00")?;
    /// assert!(calendar.is_open("2025-11-01T08:00:00Z".parse::<DateTime<Utc>>()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Everything wrong with the hours; the date is a holiday, or a special day with different hours.
    pub fn special_day(mut self, date: NaiveDate, hours: &str) -> Result<Self, CalendarError> {
        let mut faults = Vec::new();
        self.add_special_day(date, hours, &mut faults);
        CalendarError::refuse_any(faults)?;
        Ok(self)
    }

    pub(super) fn add_special_day(
        &mut self,
        date: NaiveDate,
        hours: &str,
        faults: &mut Vec<CalendarFault>,
    ) {
        let hours = Hours::parse_day(hours, faults);
        if self.holidays.contains(&date) {
            faults.push(CalendarFault::HolidayWithHours(date));
        } else if self
            .special_days
            .get(&date)
            .is_some_and(|known| *known != hours)
        {
            faults.push(CalendarFault::SpecialDayTwice(date));
        } else {
            self.special_days.insert(date, hours);
            self.note_exception(date);
        }
    }

    fn note_exception(&mut self, date: NaiveDate) {
        // The next date differs as well, by the night windows that reach into it.
        for day in [Some(date), date.succ_opt()].into_iter().flatten() {
            let eve = day.pred_opt().map_or(DayPlan::Closed, |eve| self.plan(eve));
            let openings = DayOpenings::new(eve, self.plan(day));
            self.openings.except(epoch_day(day), openings);
        }
    }

    fn plan(&self, date: NaiveDate) -> DayPlan<'_> {
        if self.holidays.contains(&date) {
            return DayPlan::Closed;
        }
        let hours = self.special_days.get(&date);
        DayPlan::Hours(hours.unwrap_or_else(|| self.week.on(weekday(epoch_day(date)))))
    }

    /// The hours of the week, such as `Mon-Fri 09:00-18:00,Sat 10:00-14:00`; [`parse`](Self::parse) reads them back.
    #[must_use]
    pub fn hours(&self) -> String {
        self.week.to_string()
    }

    /// The zone whose clock the hours are read from.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The dates that are closed, in order.
    pub fn holiday_dates(&self) -> impl Iterator<Item = NaiveDate> {
        self.holidays.iter().copied()
    }

    /// The dates with hours of their own and these hours, in order; [`special_day`](Self::special_day) reads them back.
    pub fn special_days(&self) -> impl Iterator<Item = (NaiveDate, String)> {
        self.special_days
            .iter()
            .map(|(date, hours)| (*date, hours.to_string()))
    }

    pub(super) fn openings(&self) -> &Openings {
        &self.openings
    }
}

fn epoch_day(date: NaiveDate) -> i64 {
    // chrono's default date is 1970-01-01.
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// For people, on one line: `Mon-Fri 09:00-18:00@Europe/Moscow, 2025-06-12 closed, 2025-11-01 09:00-17:00`.
impl fmt::Display for WorkCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.week, self.zone)?;
        for date in &self.holidays {
            write!(f, ", {date} closed")?;
        }
        for (date, hours) in &self.special_days {
            write!(f, ", {date} {hours}")?;
        }
        Ok(())
    }
}
