//! Working hours: when the policy lets mail begin, and when it opens again.
//!
//! A [`WorkCalendar`] is written as people write hours, and asked with an instant: [`WorkCalendar::is_open`],
//! [`WorkCalendar::next_open`], [`WorkCalendar::closes`]. Same calendar, same instant, same answer: no clock is read.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use mailer_core::calendar::WorkCalendar;
//!
//! let calendar = WorkCalendar::parse("Mon-Fri 09:00-18:00,Sat 10:00-14:00", "Europe/Moscow")?;
//! let saturday_evening: DateTime<Utc> = "2025-06-07T17:00:00Z".parse()?;
//! let monday_morning: DateTime<Utc> = "2025-06-09T06:00:00Z".parse()?;
//! assert_eq!(calendar.next_open(saturday_evening)?, monday_morning);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod form;
mod hours;
mod next_open;
mod openings;
mod spans;
mod week;
mod work_calendar;
mod zone;

#[cfg(test)]
mod tests;

pub use fault::{CalendarError, CalendarFault};
pub use next_open::NoOpening;
pub use work_calendar::WorkCalendar;
pub use zone::{Zone, ZoneError};
