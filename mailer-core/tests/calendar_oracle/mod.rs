//! The calendar's rules once more, told as plainly as possible and without any of its code.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use mailer_core::calendar::WorkCalendar;

/// A calendar as lists of minutes.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) zone: &'static str,
    pub(crate) week: [Vec<(u16, u16)>; 7],
    /// `None` is a holiday.
    pub(crate) exceptions: BTreeMap<NaiveDate, Option<Vec<(u16, u16)>>>,
}

/// What the clock on the wall shows at every minute of a few days.
pub(crate) struct MinuteClock {
    start: DateTime<Utc>,
    pub(crate) readings: Vec<(NaiveDate, u16)>,
}

impl Written {
    pub(crate) fn is_open(&self, (date, minute): (NaiveDate, u16)) -> bool {
        let Some(today) = self.on(date) else {
            return false;
        };
        let by_day = today.iter().any(|&(start, end)| match start < end {
            true => start <= minute && minute < end,
            false => start <= minute,
        });
        let eve = self.on(date.pred_opt().unwrap());
        by_day || eve.is_some_and(|eve| eve.iter().any(|&(start, end)| start > end && minute < end))
    }

    fn on(&self, date: NaiveDate) -> Option<&Vec<(u16, u16)>> {
        match self.exceptions.get(&date) {
            Some(exception) => exception.as_ref(),
            None => Some(&self.week[date.weekday().num_days_from_monday() as usize]),
        }
    }

    pub(crate) fn calendar(&self) -> WorkCalendar {
        let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let parts: Vec<String> = std::iter::zip(days, &self.week)
            .filter(|(_, windows)| !windows.is_empty())
            .map(|(day, windows)| format!("{day} {}", text(windows)))
            .collect();
        let week = if parts.is_empty() {
            "never".to_owned()
        } else {
            parts.join(",")
        };
        let mut calendar = WorkCalendar::parse(&week, self.zone).unwrap();
        for (date, exception) in &self.exceptions {
            calendar = match exception {
                None => calendar.holiday(*date),
                Some(windows) => calendar.special_day(*date, &text(windows)),
            }
            .unwrap();
        }
        calendar
    }
}

fn text(windows: &[(u16, u16)]) -> String {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    match windows {
        [] => "never".to_owned(),
        _ => windows
            .iter()
            .map(|&(start, end)| format!("{}-{}", time(start), time(end)))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

impl MinuteClock {
    pub(crate) fn around(zone: &str, at: DateTime<Utc>, days: i64) -> Self {
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let start = at - TimeDelta::days(days);
        let readings = (0..2 * days * 1440).map(|minute| {
            let second = start.timestamp() + minute * 60;
            let shown = zone.to_datetime(jiff::Timestamp::from_second(second).unwrap());
            assert_eq!(
                shown.second(),
                0,
                "offsets near the change are whole minutes"
            );
            let date = NaiveDate::from_ymd_opt(
                shown.year().into(),
                u32::from(shown.month().unsigned_abs()),
                u32::from(shown.day().unsigned_abs()),
            );
            (
                date.unwrap(),
                u16::from(shown.hour().unsigned_abs()) * 60
                    + u16::from(shown.minute().unsigned_abs()),
            )
        });
        Self {
            start,
            readings: readings.collect(),
        }
    }

    pub(crate) fn minute(&self, minute: usize) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(i64::try_from(minute).unwrap())
    }
}
