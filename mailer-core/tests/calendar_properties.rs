//! Properties of the work calendar on random calendars, most of all around the instants at which clocks change.

#![expect(
    clippy::unwrap_used,
    reason = "a strategy that cannot be built is a failed test"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use mailer_core::calendar::WorkCalendar;
use proptest::prelude::*;

mod calendar_oracle;
use calendar_oracle::{MinuteClock, Written};

/// A zone and an instant at which its clock changes: gaps, overlaps, at midnight, by half an hour, by a day, by a law.
const CHANGES: [(&str, &str); 14] = [
    ("Europe/Moscow", "2011-03-26T23:00:00Z"),
    ("Europe/Moscow", "2014-10-25T22:00:00Z"),
    ("Europe/Berlin", "2025-03-30T01:00:00Z"),
    ("Europe/Berlin", "2025-10-26T01:00:00Z"),
    ("Australia/Lord_Howe", "2025-04-05T15:00:00Z"),
    ("Australia/Lord_Howe", "2025-10-04T15:30:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Africa/Casablanca", "2025-02-23T02:00:00Z"),
    ("Antarctica/Troll", "2025-03-30T01:00:00Z"),
    ("Pacific/Chatham", "2025-04-05T14:00:00Z"),
    ("Asia/Calcutta", "2025-06-02T00:00:00Z"),
];

fn change() -> impl Strategy<Value = (&'static str, DateTime<Utc>)> {
    prop::sample::select(&CHANGES[..]).prop_map(|(zone, at)| (zone, at.parse().unwrap()))
}

/// Hours that like midnight, the small hours and each other's edges.
fn window() -> impl Strategy<Value = (u16, u16)> {
    let minute = prop_oneof![
        3 => (0..=48u16).prop_map(|half| half * 30),
        1 => 0..=1440u16,
    ];
    (minute.clone(), minute).prop_filter("a window", |(start, end)| start != end && *start < 1440)
}

fn windows() -> impl Strategy<Value = Vec<(u16, u16)>> {
    prop::collection::vec(window(), 0..3)
}

/// A calendar with its exceptions within three days of a date.
fn written(zone: &'static str, near: NaiveDate) -> impl Strategy<Value = Written> {
    let exception = prop_oneof![Just(None), windows().prop_map(Some)];
    (
        prop::array::uniform7(windows()),
        prop::collection::btree_map(-3..=3i64, exception, 0..4),
    )
        .prop_map(move |(week, exceptions)| Written {
            zone,
            week,
            exceptions: exceptions
                .into_iter()
                .map(|(days, hours)| (near + TimeDelta::days(days), hours))
                .collect(),
        })
}

fn written_at_change() -> impl Strategy<Value = (Written, DateTime<Utc>)> {
    change().prop_flat_map(|(zone, at)| (written(zone, at.date_naive()), Just(at)))
}

/// An instant near a change: on it, a millisecond beside it, or anywhere within four days.
fn written_near_change() -> impl Strategy<Value = (Written, DateTime<Utc>)> {
    let distance = prop_oneof![
        prop::sample::select(vec![-1_000i64, -1, 0, 1, 999, 1_000]),
        -345_600_000..345_600_000i64,
    ];
    (written_at_change(), distance)
        .prop_map(|((written, at), millis)| (written, at + TimeDelta::milliseconds(millis)))
}

/// All that chrono can count.
fn every_second() -> impl Strategy<Value = i64> {
    DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp()
}

const BEAT: TimeDelta = TimeDelta::milliseconds(1);

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_scan_minute_by_minute((written, at) in written_at_change()) {
        let calendar = written.calendar();
        let clock = MinuteClock::around(written.zone, at, 3);
        let open: Vec<bool> = clock.readings.iter().map(|reading| written.is_open(*reading)).collect();
        let (mut next_open, mut next_closed) = (None, None);
        // Backwards, so that the next opening and closing of every minute are already known.
        for (minute, open) in open.iter().enumerate().rev() {
            let at = clock.minute(minute);
            *(if *open { &mut next_open } else { &mut next_closed }) = Some(at);
            prop_assert_eq!(calendar.is_open(at), *open, "{} {}", calendar, at);
            // A question per minute about what lies ahead would be slow; those at the hours and the edges will do.
            if minute % 15 == 0 && let Some(next_open) = next_open {
                prop_assert_eq!(calendar.next_open(at), Ok(next_open), "{} {}", calendar, at);
            }
            if minute % 15 == 0 && *open && let Some(next_closed) = next_closed {
                prop_assert_eq!(calendar.closes(at), Some(next_closed), "{} {}", calendar, at);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn opens_when_it_says_and_not_before((written, at) in written_near_change()) {
        let calendar = written.calendar();
        match calendar.next_open(at) {
            Ok(opening) if opening == at => prop_assert!(calendar.is_open(at)),
            Ok(opening) => {
                prop_assert!(opening > at && !calendar.is_open(at));
                prop_assert!(calendar.is_open(opening) && !calendar.is_open(opening - BEAT));
                prop_assert_eq!(calendar.next_open(opening - BEAT), Ok(opening));
            }
            Err(none) => {
                prop_assert_eq!(none.searched_until, (at + WorkCalendar::HORIZON).trunc_subsecs(0));
                prop_assert!(!calendar.is_open(at));
            }
        }
    }

    #[test]
    fn closes_when_it_says_and_not_before((written, at) in written_near_change()) {
        let calendar = written.calendar();
        let Some(closing) = calendar.closes(at) else { return Ok(()) };
        let opening = calendar.next_open(at);
        prop_assert!(opening.is_ok_and(|opening| at <= opening && opening < closing));
        prop_assert!(!calendar.is_open(closing) && calendar.is_open(closing - BEAT));
        prop_assert_eq!(calendar.closes(closing - BEAT), Some(closing));
    }

    #[test]
    fn later_questions_get_later_answers((written, at) in written_near_change(), later in 0..90_000_000i64) {
        let calendar = written.calendar();
        let later = at + TimeDelta::milliseconds(later);
        if let (Ok(first), Ok(second)) = (calendar.next_open(at), calendar.next_open(later)) {
            prop_assert!(first <= second);
            prop_assert!(second == first || first < later);
        }
    }

    #[test]
    fn text_and_json_come_back_equal((written, _) in written_at_change()) {
        let calendar = written.calendar();
        let json = serde_json::to_string(&calendar).unwrap();
        prop_assert_eq!(&serde_json::from_str::<WorkCalendar>(&json).unwrap(), &calendar);

        let mut again = WorkCalendar::parse(&calendar.hours(), calendar.zone().name()).unwrap();
        again = again.holidays(calendar.holiday_dates()).unwrap();
        for (date, hours) in calendar.special_days() {
            again = again.special_day(date, &hours).unwrap();
        }
        prop_assert_eq!(again, calendar);
    }

    #[test]
    fn any_text_is_answered(hours in "[A-Za-z0-9:, -]{0,40}|\\PC{0,20}", zone in "\\PC{0,20}") {
        if let Err(error) = WorkCalendar::parse(&hours, &zone) {
            prop_assert!(!error.faults().is_empty());
        }
    }

    #[test]
    fn any_instant_is_answered((written, _) in written_at_change(), second in every_second()) {
        let calendar = written.calendar();
        let at = DateTime::from_timestamp(second, 999_999_999).unwrap();
        if let Ok(opening) = calendar.next_open(at) {
            prop_assert!(opening >= at && calendar.is_open(opening));
        }
        if let Some(closing) = calendar.closes(at) {
            prop_assert!(closing > at && !calendar.is_open(closing));
        }
    }
}

#[test]
fn the_ends_of_time_are_answered() {
    let new_year: DateTime<Utc> = "9999-12-31T23:30:00Z".parse().unwrap();
    let ends = [DateTime::<Utc>::MIN_UTC, new_year, DateTime::<Utc>::MAX_UTC];
    for (zone, _) in CHANGES {
        let nights = WorkCalendar::parse("daily 22:00-06:00", zone).unwrap();
        let nights = nights.holidays([NaiveDate::MIN, NaiveDate::MAX]).unwrap();
        let never = WorkCalendar::parse("never", zone).unwrap();
        let always = WorkCalendar::parse("always", zone).unwrap();
        for at in ends {
            let _ = (nights.next_open(at), nights.closes(at), nights.is_open(at));
            assert_eq!(always.next_open(at), Ok(at));
            assert_eq!(always.closes(at), None);
            let searched_until = never.next_open(at).unwrap_err().searched_until;
            assert_eq!(
                searched_until,
                at.checked_add_signed(WorkCalendar::HORIZON)
                    .unwrap_or(DateTime::<Utc>::MAX_UTC)
                    .trunc_subsecs(0)
            );
        }
        assert!(nights.next_open(new_year).is_ok());
    }
}

#[test]
fn a_special_night_ends_at_the_holidays_midnight_and_a_closed_special_day_keeps_it() {
    let (eve, day) = (
        NaiveDate::from_ymd_opt(2025, 12, 24).unwrap(),
        NaiveDate::from_ymd_opt(2025, 12, 25).unwrap(),
    );
    let before = WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Berlin").unwrap();
    let night = before.special_day(eve, "20:00-04:00").unwrap();
    let at: DateTime<Utc> = "2025-12-24T20:00:00Z".parse().unwrap();

    let holiday = night.clone().holiday(day).unwrap();
    assert_eq!(
        holiday.closes(at),
        Some("2025-12-24T23:00:00Z".parse().unwrap())
    );
    let closed = night.special_day(day, "never").unwrap();
    assert_eq!(
        closed.closes(at),
        Some("2025-12-25T03:00:00Z".parse().unwrap())
    );
}

#[test]
fn links_are_zones_of_their_own_with_the_same_hours() {
    let at: DateTime<Utc> = "2025-06-02T00:00:00Z".parse().unwrap();
    let by_name: BTreeMap<&str, _> = ["Asia/Calcutta", "Asia/Kolkata"]
        .map(|zone| {
            (
                zone,
                WorkCalendar::parse("Mon-Fri 09:00-18:00", zone).unwrap(),
            )
        })
        .into();
    let (old, new) = (&by_name["Asia/Calcutta"], &by_name["Asia/Kolkata"]);
    assert_eq!(old.next_open(at), new.next_open(at));
    assert_eq!(old.zone().name(), "Asia/Calcutta");
}
