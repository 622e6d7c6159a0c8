//! The table of hours worked out by hand, in `tests/data/work_hours_cases.json`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;

use crate::calendar::{CalendarError, WorkCalendar};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    zone: String,
    windows: BTreeMap<String, Vec<(String, String)>>,
    holidays: Vec<NaiveDate>,
    #[serde(default)]
    overrides: BTreeMap<NaiveDate, Vec<(String, String)>>,
    horizon_days: Option<i64>,
    now_utc: DateTime<Utc>,
    expect: Expected,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expected {
    open: bool,
    next_open_utc: Option<DateTime<Utc>>,
    closes_utc: Option<DateTime<Utc>>,
}

#[test]
fn every_case_of_the_table() {
    let table = include_str!("../../../tests/data/work_hours_cases.json");
    let cases: Vec<Case> = serde_json::from_str(table).unwrap();
    let wrong: Vec<String> = cases.iter().filter_map(difference).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

fn difference(case: &Case) -> Option<String> {
    let calendar = calendar(case).unwrap();
    let horizon = case
        .horizon_days
        .map_or(WorkCalendar::HORIZON, TimeDelta::days);
    let found = Expected {
        open: calendar.is_open(case.now_utc),
        next_open_utc: calendar.next_open_within(case.now_utc, horizon).ok(),
        closes_utc: calendar.closes_within(case.now_utc, horizon),
    };
    (found != case.expect).then(|| format!("{}: {found:?} instead of {:?}", case.name, case.expect))
}

fn calendar(case: &Case) -> Result<WorkCalendar, CalendarError> {
    let parts: Vec<String> = case
        .windows
        .iter()
        .filter(|(_, windows)| !windows.is_empty())
        .map(|(day, windows)| format!("{day} {}", hours(windows)))
        .collect();
    let week = if parts.is_empty() {
        "never".to_owned()
    } else {
        parts.join(",")
    };
    let mut calendar =
        WorkCalendar::parse(&week, &case.zone)?.holidays(case.holidays.iter().copied())?;
    for (date, windows) in &case.overrides {
        calendar = calendar.special_day(*date, &hours(windows))?;
    }
    Ok(calendar)
}

fn hours(windows: &[(String, String)]) -> String {
    if windows.is_empty() {
        return "never".to_owned();
    }
    windows
        .iter()
        .map(|(start, end)| format!("{start}-{end}"))
        .collect::<Vec<_>>()
        .join(" ")
}
