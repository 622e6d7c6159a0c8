//! The written form of a calendar, in JSON and its kin.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::WorkCalendar;
use super::fault::{CalendarError, CalendarFault};

/// Everything is text here, so that one reading can report all that is wrong.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    hours: String,
    zone: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holidays: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    overrides: BTreeMap<String, String>,
}

impl TryFrom<Form> for WorkCalendar {
    type Error = CalendarError;

    fn try_from(form: Form) -> Result<Self, CalendarError> {
        let mut faults = Vec::new();
        let mut calendar = Self::read(&form.hours, &form.zone, &mut faults);
        for holiday in &form.holidays {
            if let Some(date) = read_date(holiday, &mut faults) {
                calendar.add_holiday(date, &mut faults);
            }
        }
        for (date, hours) in &form.overrides {
            if let Some(date) = read_date(date, &mut faults) {
                calendar.add_special_day(date, hours, &mut faults);
            }
        }
        CalendarError::refuse_any(faults)?;
        Ok(calendar)
    }
}

impl From<WorkCalendar> for Form {
    fn from(calendar: WorkCalendar) -> Self {
        Self {
            hours: calendar.hours(),
            zone: calendar.zone().to_string(),
            holidays: calendar
                .holiday_dates()
                .map(|date| date.to_string())
                .collect(),
            overrides: calendar
                .special_days()
                .map(|(date, hours)| (date.to_string(), hours))
                .collect(),
        }
    }
}

fn read_date(text: &str, faults: &mut Vec<CalendarFault>) -> Option<NaiveDate> {
    let date = text.parse().ok();
    if date.is_none() {
        faults.push(CalendarFault::Date(text.to_owned()));
    }
    date
}
