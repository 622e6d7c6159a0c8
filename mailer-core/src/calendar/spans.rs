//! Search along the time line: a walk over spans of constant UTC offset.
//!
//! Within a span the civil reading is UTC plus the offset, so whole numbers do. Asking every span by itself what its
//! clock reads is what makes both passes of a repeated hour count and skipped hours never occur.

use super::Zone;
use super::openings::{DAY, DayOpenings, Openings};

pub(super) fn is_open(openings: &Openings, zone: &Zone, at: i64) -> bool {
    let local = at + zone.offset_at(at);
    let day = local.div_euclid(DAY);
    openings.on(day).is_open(local - day * DAY)
}

/// The first open second in `from..until`.
pub(super) fn first_open(openings: &Openings, zone: &Zone, from: i64, until: i64) -> Option<i64> {
    search(openings, zone, from, until, DayOpenings::first_open)
}

/// The first closed second in `from..until`.
pub(super) fn first_closed(openings: &Openings, zone: &Zone, from: i64, until: i64) -> Option<i64> {
    search(openings, zone, from, until, DayOpenings::first_closed)
}

fn search(
    openings: &Openings,
    zone: &Zone,
    from: i64,
    until: i64,
    first: fn(&DayOpenings, i64) -> Option<i64>,
) -> Option<i64> {
    let mut at = from;
    while at < until {
        let offset = zone.offset_at(at);
        let span_end = zone.shift_after(at).map_or(until, |shift| shift.min(until));
        let found = search_days(openings, at + offset, span_end + offset, first);
        if let Some(local) = found {
            return Some(local - offset);
        }
        at = span_end;
    }
    None
}

/// As `search`, in civil seconds since 1970-01-01 00:00 on the wall.
fn search_days(
    openings: &Openings,
    from: i64,
    until: i64,
    first: fn(&DayOpenings, i64) -> Option<i64>,
) -> Option<i64> {
    let mut local = from;
    while local < until {
        let day = local.div_euclid(DAY);
        let midnight = day * DAY;
        if let Some(second) = first(openings.on(day), local - midnight) {
            return Some(midnight + second).filter(|found| *found < until);
        }
        local = midnight + DAY;
    }
    None
}
