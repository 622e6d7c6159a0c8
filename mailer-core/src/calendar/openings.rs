//! The open seconds of each civil date, merged and ready to be looked up.

use std::collections::BTreeMap;

use super::hours::Hours;
use super::week::Week;

/// What is open on each civil date, worked out when the calendar is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Openings {
    week: [DayOpenings; 7],
    exceptions: BTreeMap<i64, DayOpenings>,
}

/// What is open on one civil date: sorted, neither touching nor overlapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DayOpenings(Vec<Opening>);

/// From `start` to before `end`, in seconds of the civil day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Opening {
    start: i64,
    end: i64,
}

/// What the calendar says of one date, before the night of its eve is added.
#[derive(Debug, Clone, Copy)]
pub(super) enum DayPlan<'a> {
    /// A holiday: nothing starts, and nothing reaches in.
    Closed,
    /// These windows start.
    Hours(&'a Hours),
}

pub(super) const DAY: i64 = 24 * 60 * 60;

impl Openings {
    pub(super) fn of_week(week: &Week) -> Self {
        Self {
            week: std::array::from_fn(|weekday| {
                let (eve, day) = (week.on(weekday + 6), week.on(weekday));
                DayOpenings::new(DayPlan::Hours(eve), DayPlan::Hours(day))
            }),
            exceptions: BTreeMap::new(),
        }
    }

    /// Puts something else in the place of what the weekday says, by days since 1970-01-01.
    pub(super) fn except(&mut self, day: i64, openings: DayOpenings) {
        self.exceptions.insert(day, openings);
    }

    /// What is open on a date, by days since 1970-01-01.
    pub(super) fn on(&self, day: i64) -> &DayOpenings {
        if !self.exceptions.is_empty()
            && let Some(exception) = self.exceptions.get(&day)
        {
            return exception;
        }
        &self.week[weekday(day)]
    }
}

impl DayOpenings {
    pub(super) fn new(eve: DayPlan<'_>, day: DayPlan<'_>) -> Self {
        let DayPlan::Hours(hours) = day else {
            return Self::default();
        };
        let mut windows: Vec<(u16, u16)> = hours.by_day().collect();
        if let DayPlan::Hours(eve) = eve {
            windows.extend(eve.tails());
        }
        windows.sort_unstable();
        let mut merged: Vec<Opening> = Vec::with_capacity(windows.len());
        for (start, end) in windows {
            let (start, end) = (i64::from(start) * 60, i64::from(end) * 60);
            match merged.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => merged.push(Opening { start, end }),
            }
        }
        Self(merged)
    }

    pub(super) fn is_open(&self, second: i64) -> bool {
        self.0
            .iter()
            .any(|opening| opening.start <= second && second < opening.end)
    }

    /// The first open second of the day from `second` on.
    pub(super) fn first_open(&self, second: i64) -> Option<i64> {
        let opening = self.0.iter().find(|opening| second < opening.end)?;
        Some(opening.start.max(second))
    }

    /// The first closed second of the day from `second` on.
    pub(super) fn first_closed(&self, second: i64) -> Option<i64> {
        let covering = |opening: &&Opening| opening.start <= second && second < opening.end;
        let closed = self
            .0
            .iter()
            .find(covering)
            .map_or(second, |opening| opening.end);
        (closed < DAY).then_some(closed)
    }
}

/// Days since Monday. 1970-01-01 was a Thursday.
pub(super) fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)
}
