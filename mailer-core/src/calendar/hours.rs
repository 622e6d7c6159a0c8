//! The hours of one day: `09:00-13:00 14:00-18:00`.

use std::fmt;

use super::fault::CalendarFault;

/// The windows that start on one day, sorted, as they were written.
///
/// They may overlap; openings are merged later, so that the text can come back as it went in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hours(Vec<Window>);

/// From `start` to before `end`, in minutes of the civil day.
///
/// `start < end <= 24:00` lies within the day; `start > end` runs into the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Window {
    start: u16,
    end: u16,
}

pub(super) const MINUTES_OF_DAY: u16 = 24 * 60;
pub(super) const ALWAYS: &str = "always";
pub(super) const NEVER: &str = "never";

impl Hours {
    pub(super) fn whole_day() -> Self {
        Self(vec![Window {
            start: 0,
            end: MINUTES_OF_DAY,
        }])
    }

    /// The hours of a special day, where `always` and `never` are words too.
    pub(super) fn parse_day(text: &str, faults: &mut Vec<CalendarFault>) -> Self {
        match text.trim() {
            "" => {
                faults.push(CalendarFault::NoHours);
                Self::default()
            }
            word if word.eq_ignore_ascii_case(ALWAYS) => Self::whole_day(),
            word if word.eq_ignore_ascii_case(NEVER) => Self::default(),
            windows => Self::parse_windows(windows.split_whitespace(), faults),
        }
    }

    pub(super) fn parse_windows<'a>(
        words: impl Iterator<Item = &'a str>,
        faults: &mut Vec<CalendarFault>,
    ) -> Self {
        let mut hours = Self::default();
        for word in words {
            match Window::parse(word) {
                Ok(window) => hours.add(window),
                Err(fault) => faults.push(fault),
            }
        }
        hours
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for window in &other.0 {
            self.add(*window);
        }
    }

    fn add(&mut self, window: Window) {
        if let Err(position) = self.0.binary_search(&window) {
            self.0.insert(position, window);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The minutes open on the day itself.
    pub(super) fn by_day(&self) -> impl Iterator<Item = (u16, u16)> {
        self.0.iter().map(|window| match window.runs_over() {
            true => (window.start, MINUTES_OF_DAY),
            false => (window.start, window.end),
        })
    }

    /// The minutes of the next day that its night windows reach into.
    pub(super) fn tails(&self) -> impl Iterator<Item = (u16, u16)> {
        self.0
            .iter()
            .filter(|window| window.runs_over() && window.end > 0)
            .map(|window| (0, window.end))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NEVER);
        }
        for (position, window) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            let Window { start, end } = window;
            write!(
                f,
                "{:02}:{:02}-{:02}:{:02}",
                start / 60,
                start % 60,
                end / 60,
                end % 60
            )?;
        }
        Ok(())
    }
}

impl Window {
    fn parse(text: &str) -> Result<Self, CalendarFault> {
        let (start, end) = text
            .split_once('-')
            .filter(|(start, end)| {
                start.contains(':') && end.contains(':') && !end.contains(['-', ','])
            })
            .ok_or_else(|| CalendarFault::Window(text.to_owned()))?;
        let (start, end) = (minute_of_day(start)?, minute_of_day(end)?);
        if start == MINUTES_OF_DAY {
            return Err(CalendarFault::StartsAtDaysEnd(text.to_owned()));
        }
        if start == end {
            return Err(CalendarFault::EmptyWindow(text.to_owned()));
        }
        Ok(Self { start, end })
    }

    fn runs_over(self) -> bool {
        self.start > self.end
    }
}

fn minute_of_day(text: &str) -> Result<u16, CalendarFault> {
    let wrong = || CalendarFault::Time(text.to_owned());
    let [h1, h2, b':', m1, m2] = text.as_bytes() else {
        return Err(wrong());
    };
    let number = |tens: &u8, ones: &u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    match (number(h1, h2), number(m1, m2)) {
        (Some(hour @ 0..24), Some(minute @ 0..60)) => Ok(hour * 60 + minute),
        (Some(24), Some(0)) => Ok(MINUTES_OF_DAY),
        _ => Err(wrong()),
    }
}
