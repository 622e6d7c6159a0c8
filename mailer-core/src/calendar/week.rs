//! The hours of a week: `Mon-Fri 09:00-18:00,Sat 10:00-14:00`.

use std::fmt;

use super::fault::CalendarFault;
use super::hours::{ALWAYS, Hours, NEVER};

/// The hours that start on each weekday, Monday first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Week([Hours; 7]);

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAILY: &str = "daily";

impl Week {
    pub(super) fn parse(text: &str, faults: &mut Vec<CalendarFault>) -> Self {
        let mut week = Self::default();
        match text.trim() {
            "" => faults.push(CalendarFault::NoHours),
            word if word.eq_ignore_ascii_case(ALWAYS) => week.add(0, 7, &Hours::whole_day()),
            word if word.eq_ignore_ascii_case(NEVER) => {}
            parts => {
                for part in parts.split(',') {
                    week.read_part(part.trim(), parts, faults);
                }
            }
        }
        week
    }

    /// The hours that start on a weekday, by days since Monday; any number of weeks later too.
    pub(super) fn on(&self, weekday: usize) -> &Hours {
        &self.0[weekday % DAYS.len()]
    }

    fn read_part(&mut self, part: &str, text: &str, faults: &mut Vec<CalendarFault>) {
        let mut words = part.split_whitespace();
        let Some(days) = words.next() else {
            faults.push(CalendarFault::EmptyPart(text.to_owned()));
            return;
        };
        if [ALWAYS, NEVER]
            .iter()
            .any(|word| days.eq_ignore_ascii_case(word))
        {
            faults.push(CalendarFault::NotAlone(part.to_owned()));
            return;
        }
        let days = read_days(days, faults);
        let mut windows = words.peekable();
        if windows.peek().is_none() {
            faults.push(CalendarFault::DaysOnly(part.to_owned()));
        }
        let hours = Hours::parse_windows(windows, faults);
        if let Some((first, count)) = days {
            self.add(first, count, &hours);
        }
    }

    fn add(&mut self, first: usize, count: usize, hours: &Hours) {
        for day in first..first + count {
            self.0[day % DAYS.len()].add_all(hours);
        }
    }
}

/// The first day and how many there are.
fn read_days(text: &str, faults: &mut Vec<CalendarFault>) -> Option<(usize, usize)> {
    if text.eq_ignore_ascii_case(DAILY) {
        return Some((0, DAYS.len()));
    }
    let Some((first, last)) = text.split_once('-') else {
        return read_day(text, faults).map(|day| (day, 1));
    };
    if first.is_empty() || last.is_empty() || last.contains('-') {
        faults.push(CalendarFault::DayRange(text.to_owned()));
        return None;
    }
    // Both ends are read before giving up, so that both are reported.
    let (first, last) = (read_day(first, faults), read_day(last, faults));
    let (first, last) = (first?, last?);
    if first == last {
        faults.push(CalendarFault::DayRange(text.to_owned()));
        return None;
    }
    Some((first, (last + DAYS.len() - first) % DAYS.len() + 1))
}

fn read_day(text: &str, faults: &mut Vec<CalendarFault>) -> Option<usize> {
    let day = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    if day.is_none() {
        faults.push(CalendarFault::UnknownDay(text.to_owned()));
    }
    day
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|hours| *hours == Hours::whole_day()) {
            return f.write_str(ALWAYS);
        }
        if self.0.iter().all(Hours::is_empty) {
            return f.write_str(NEVER);
        }
        let mut first = 0;
        let mut comma = "";
        while first < DAYS.len() {
            let hours = self.on(first);
            let alike = self.0[first..]
                .iter()
                .take_while(|day| *day == hours)
                .count();
            if !hours.is_empty() {
                write!(f, "{comma}")?;
                match alike {
                    7 => f.write_str(DAILY)?,
                    1 => f.write_str(DAYS[first])?,
                    _ => write!(f, "{}-{}", DAYS[first], DAYS[first + alike - 1])?,
                }
                write!(f, " {hours}")?;
                comma = ",";
            }
            first += alike;
        }
        Ok(())
    }
}
