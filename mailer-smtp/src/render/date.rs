use std::io::Write;

use chrono::{DateTime, Datelike, Timelike, Utc};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// As RFC 5322 section 3.3 has it, in UTC: `Tue, 24 Nov 2026 09:30:00 +0000`.
pub(super) fn write_date(out: &mut Vec<u8>, date: DateTime<Utc>) {
    let day = DAYS[date.weekday().num_days_from_monday() as usize];
    let month = MONTHS[date.month0() as usize];
    // Writing into memory does not fail.
    let _ = write!(
        out,
        "{day}, {} {month} {:04} {:02}:{:02}:{:02} +0000",
        date.day(),
        date.year(),
        date.hour(),
        date.minute(),
        date.second(),
    );
}
