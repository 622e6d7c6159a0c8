use chrono::{DateTime, Utc};

use super::*;

fn at(text: &str) -> Micros {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

#[test]
fn windows_begin_and_end_where_the_wall_clock_says() {
    for (unit, zone, inside, start, end) in [
        (
            Unit::Minute,
            "UTC",
            "2026-11-24T09:05:59.9Z",
            "2026-11-24T09:05:00Z",
            "2026-11-24T09:06:00Z",
        ),
        (
            Unit::Hour,
            "UTC",
            "2026-11-24T09:05:00Z",
            "2026-11-24T09:00:00Z",
            "2026-11-24T10:00:00Z",
        ),
        (
            Unit::Hour,
            "UTC",
            "1969-12-31T23:30:00Z",
            "1969-12-31T23:00:00Z",
            "1970-01-01T00:00:00Z",
        ),
        (
            Unit::Day,
            "Europe/Moscow",
            "2025-06-02T12:00:00Z",
            "2025-06-01T21:00:00Z",
            "2025-06-02T21:00:00Z",
        ),
        (
            Unit::Day,
            "Europe/Berlin",
            "2025-03-30T12:00:00Z",
            "2025-03-29T23:00:00Z",
            "2025-03-30T22:00:00Z",
        ),
        (
            Unit::Day,
            "Europe/Berlin",
            "2025-10-26T01:30:00Z",
            "2025-10-25T22:00:00Z",
            "2025-10-26T23:00:00Z",
        ),
        (
            Unit::Day,
            "Australia/Lord_Howe",
            "2025-04-06T00:00:00Z",
            "2025-04-05T13:00:00Z",
            "2025-04-06T13:30:00Z",
        ),
        (
            Unit::Day,
            "America/Sao_Paulo",
            "2018-11-04T12:00:00Z",
            "2018-11-04T03:00:00Z",
            "2018-11-05T02:00:00Z",
        ),
        (
            Unit::Day,
            "Pacific/Apia",
            "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-31T10:00:00Z",
        ),
        (
            Unit::Day,
            "Pacific/Apia",
            "2011-12-30T09:59:59Z",
            "2011-12-29T10:00:00Z",
            "2011-12-30T10:00:00Z",
        ),
        (
            Unit::Day,
            "America/St_Johns",
            "2010-11-07T02:29:59Z",
            "2010-11-06T02:30:00Z",
            "2010-11-07T02:30:00Z",
        ),
        (
            Unit::Day,
            "America/St_Johns",
            "2010-11-07T03:00:00Z",
            "2010-11-07T02:30:00Z",
            "2010-11-08T03:30:00Z",
        ),
        (
            Unit::Week,
            "UTC",
            "2026-11-29T23:59:59Z",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z",
        ),
        (
            Unit::Week,
            "Europe/Berlin",
            "2025-03-30T12:00:00Z",
            "2025-03-23T23:00:00Z",
            "2025-03-30T22:00:00Z",
        ),
        (
            Unit::Month,
            "UTC",
            "2028-02-29T12:00:00Z",
            "2028-02-01T00:00:00Z",
            "2028-03-01T00:00:00Z",
        ),
        (
            Unit::Month,
            "Asia/Kathmandu",
            "2026-12-31T18:15:00Z",
            "2026-12-31T18:15:00Z",
            "2027-01-31T18:15:00Z",
        ),
    ] {
        let window = Window::of(unit, &zone.parse().unwrap(), at(inside));
        let expected = Window {
            start: at(start),
            end: at(end),
        };
        assert_eq!(window, expected, "{unit:?} {zone} {inside}");
    }
}

#[test]
fn the_ends_of_time_have_windows() {
    for unit in [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month] {
        for end in [i64::MIN, i64::MAX] {
            let _ = Window::of(unit, &"Europe/Moscow".parse().unwrap(), Micros::new(end));
        }
    }
}
