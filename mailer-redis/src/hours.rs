//! Working hours as scripts read them.

use chrono::{DateTime, Utc};
use mailer_core::calendar::WorkCalendar;
use mailer_core::schedule::openings;

use crate::args::Args;
use crate::micros::{Micros, NEVER};

/// Writes the stretches of these calendars around some instants. Returns why they never open, if they do not.
pub(crate) fn encode(args: &mut Args, calendars: &[&WorkCalendar], around: &[Micros]) -> String {
    // Somewhat earlier, because the server's clock may be behind what was last heard of it.
    let around: Vec<DateTime<Utc>> = around
        .iter()
        .map(|at| DateTime::from(*at + -EARLIER))
        .collect();
    let table = openings(calendars, &around);
    let mut never = String::new();
    args.len(table.len());
    for stretch in table {
        args.at(stretch.from.into());
        match stretch.opens {
            Ok(opens) => args.at(opens.into()),
            Err(error) => {
                never = error.to_string();
                args.int(-1)
            }
        };
        args.int(stretch.closes.map_or(NEVER, |at| Micros::from(at).get()));
    }
    never
}

const EARLIER: i64 = 2_000_000;
