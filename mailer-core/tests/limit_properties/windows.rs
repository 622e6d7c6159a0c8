use mailer_core::calendar::Zone;
use mailer_core::domain::Unit;
use mailer_core::limits::{Micros, Window};
use proptest::prelude::*;

use crate::SECOND;

const UNITS: [Unit; 5] = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month];
const ZONES: [&str; 14] = [
    "UTC",
    "Europe/Moscow",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Antarctica/Troll",
];

fn zone(name: &str) -> Zone {
    name.parse().expect("a zone")
}

/// I18, walked through the years with the strangest days.
#[test]
fn windows_tile_the_years() {
    let from = Micros::new(1_262_304_000 * SECOND);
    let until = from + 3 * 366 * 86_400 * SECOND;
    for name in ZONES {
        let zone = zone(name);
        for unit in [Unit::Day, Unit::Week, Unit::Month] {
            let mut window = Window::of(unit, &zone, from);
            while window.end < until {
                let next = Window::of(unit, &zone, window.end);
                assert!(window.start < window.end, "{unit:?} {name} {window:?}");
                assert_eq!(window.end, next.start, "{unit:?} {name}");
                window = next;
            }
        }
    }
}

proptest! {
    /// I18: every instant lies in one window, and every instant of a window says so.
    #[test]
    fn an_instant_lies_in_one_window(
        micros in -2_000_000_000 * SECOND..4_000_000_000 * SECOND,
        unit in prop::sample::select(&UNITS[..]),
        name in prop::sample::select(&ZONES[..]),
        part in 0.0..1.0,
    ) {
        let (at, zone) = (Micros::new(micros), zone(name));
        let window = Window::of(unit, &zone, at);
        prop_assert!(window.contains(at));
        let length = window.end - window.start;
        for offset in [0, (length as f64 * part) as i64, length - 1] {
            prop_assert_eq!(Window::of(unit, &zone, window.start + offset), window);
        }
        prop_assert_eq!(Window::of(unit, &zone, window.start + -1).end, window.start);
        prop_assert_eq!(Window::of(unit, &zone, window.end).start, window.end);
    }
}
