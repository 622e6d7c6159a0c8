//! How hours are written, what is refused, and what the refusal says.

use chrono::NaiveDate;

use crate::calendar::{CalendarFault, WorkCalendar};

fn hours(text: &str) -> String {
    WorkCalendar::parse(text, "UTC").unwrap().hours()
}

fn refusal(text: &str) -> String {
    WorkCalendar::parse(text, "UTC").unwrap_err().to_string()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn office() -> WorkCalendar {
    WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Moscow").unwrap()
}

#[test]
fn hours_come_back_in_their_shortest_form() {
    for (written, shown) in [
        (
            "Mon-Fri 09:00-18:00,Sat 10:00-14:00",
            "Mon-Fri 09:00-18:00,Sat 10:00-14:00",
        ),
        (
            "Mon-Fri 09:00-13:00,Mon-Fri 14:00-18:00",
            "Mon-Fri 09:00-13:00 14:00-18:00",
        ),
        (
            " mon-fri  14:00-18:00 09:00-13:00 , SAT 10:00-14:00 ",
            "Mon-Fri 09:00-13:00 14:00-18:00,Sat 10:00-14:00",
        ),
        ("Sat-Mon 10:00-14:00", "Mon 10:00-14:00,Sat-Sun 10:00-14:00"),
        ("Sun-Sat 10:00-14:00", "daily 10:00-14:00"),
        ("Tue-Mon 10:00-14:00", "daily 10:00-14:00"),
        ("daily 22:00-06:00", "daily 22:00-06:00"),
        ("daily 22:00-00:00", "daily 22:00-00:00"),
        ("Mon 09:00-18:00 09:00-18:00", "Mon 09:00-18:00"),
        ("Mon 09:00-18:00 12:00-20:00", "Mon 09:00-18:00 12:00-20:00"),
        ("daily 00:00-24:00", "always"),
        ("Always", "always"),
        ("never", "never"),
    ] {
        assert_eq!(hours(written), shown, "{written}");
        assert_eq!(hours(shown), shown);
    }
}

#[test]
fn refusals_name_the_value_and_the_rule() {
    for (written, says) in [
        ("", "no hours given"),
        ("  ", "no hours given"),
        (
            "Mon 09:00-09:00",
            "\"09:00-09:00\" ends where it starts: write 00:00-24:00",
        ),
        (
            "Mon 00:00-00:00",
            "\"00:00-00:00\" ends where it starts: write 00:00-24:00",
        ),
        ("Mon 09:00-25:00", "\"25:00\" is no time of day"),
        ("Mon 09:60-10:00", "\"09:60\" is no time of day"),
        ("Mon 9:00-10:00", "\"9:00\" is no time of day"),
        ("Mon 09:00-24:01", "\"24:01\" is no time of day"),
        ("Mon +9:00-10:00", "\"+9:00\" is no time of day"),
        ("Mon 09:00-10:0\u{661}", "is no time of day"),
        ("Mon 24:00-06:00", "\"24:00-06:00\" starts at 24:00"),
        ("Mon 24:00-24:00", "\"24:00-24:00\" starts at 24:00"),
        ("Mon 09:00", "\"09:00\" is no window of hours"),
        ("Mon 09:00\u{2013}18:00", "is no window of hours"),
        ("Mon 09-18", "\"09-18\" is no window of hours"),
        ("Mon Wed 09:00-18:00", "\"Wed\" is no window of hours"),
        (
            "Mon 09:00-12:00-18:00",
            "\"09:00-12:00-18:00\" is no window of hours",
        ),
        ("Mon- 09:00-18:00", "\"Mon-\" is no range of days"),
        ("-Fri 09:00-18:00", "\"-Fri\" is no range of days"),
        (
            "Mon-Wed-Fri 09:00-18:00",
            "\"Mon-Wed-Fri\" is no range of days",
        ),
        ("Mon-Mon 09:00-18:00", "\"Mon-Mon\" is no range of days"),
        ("Someday 09:00-18:00", "unknown day \"Someday\""),
        ("Monday-Fri 09:00-18:00", "unknown day \"Monday\""),
        ("09:00-18:00", "unknown day \"09:00\""),
        ("Mon-Fri", "\"Mon-Fri\" has no hours"),
        ("Mon 09:00-18:00,", "remove the extra comma"),
        ("Mon 09:00-18:00,,Tue 09:00-18:00", "remove the extra comma"),
        ("always,Mon 09:00-18:00", "\"always\" is not the whole text"),
        (
            "never 09:00-18:00",
            "\"never 09:00-18:00\" is not the whole text",
        ),
    ] {
        let said = refusal(written);
        assert!(said.contains(says), "{written:?}: {said}");
    }
}

#[test]
fn all_faults_come_at_once() {
    let error = WorkCalendar::parse("Mond 25:00-18:00 09:00,Tue-Wet,,Fri 09:00-09:00", "Moscow")
        .unwrap_err();
    let expected = [
        CalendarFault::UnknownDay("Mond".to_owned()),
        CalendarFault::Time("25:00".to_owned()),
        CalendarFault::Window("09:00".to_owned()),
        CalendarFault::UnknownDay("Wet".to_owned()),
        CalendarFault::DaysOnly("Tue-Wet".to_owned()),
    ];
    assert_eq!(error.faults()[..5], expected);
    assert_eq!(error.faults().len(), 8);
    assert!(error.to_string().ends_with(
        "unknown time zone \"Moscow\": write an IANA name, such as Europe/Moscow or UTC"
    ));
}

#[test]
fn a_date_is_a_holiday_or_a_special_day() {
    let (first, second) = (date("2025-06-11"), date("2025-06-12"));
    let calendar = office().special_day(first, "09:00-17:00").unwrap();
    let clash = calendar.clone().holidays([second, first]).unwrap_err();
    assert_eq!(clash.faults(), [CalendarFault::HolidayWithHours(first)]);
    let clash = office()
        .holiday(first)
        .unwrap()
        .special_day(first, "never")
        .unwrap_err();
    assert_eq!(
        clash.to_string(),
        "work calendar: 2025-06-11 is both a holiday and a special day: keep one of the two"
    );
    let clash = calendar
        .clone()
        .special_day(first, "09:00-16:00")
        .unwrap_err();
    assert_eq!(clash.faults(), [CalendarFault::SpecialDayTwice(first)]);
    assert_eq!(
        calendar.clone().special_day(first, "09:00-17:00").unwrap(),
        calendar
    );
    assert_eq!(
        office().holidays([first, first]).unwrap(),
        office().holiday(first).unwrap()
    );
    let faults = office()
        .special_day(first, "09:00-17:00,18:00-17:60")
        .unwrap_err();
    assert!(
        faults
            .to_string()
            .contains("\"09:00-17:00,18:00-17:60\" is no window of hours"),
        "{faults}"
    );
    assert!(office().special_day(first, " ").is_err());
}

#[test]
fn json_is_the_readable_form() {
    let calendar = office()
        .holiday(date("2025-06-12"))
        .and_then(|calendar| calendar.special_day(date("2025-11-01"), "09:00-17:00"))
        .unwrap();
    let json = r#"{"hours":"Mon-Fri 09:00-18:00","zone":"Europe/Moscow","holidays":["2025-06-12"],"overrides":{"2025-11-01":"09:00-17:00"}}"#;
    assert_eq!(serde_json::to_string(&calendar).unwrap(), json);
    assert_eq!(
        serde_json::from_str::<WorkCalendar>(json).unwrap(),
        calendar
    );
    assert_eq!(
        serde_json::to_string(&office()).unwrap(),
        r#"{"hours":"Mon-Fri 09:00-18:00","zone":"Europe/Moscow"}"#
    );
    assert_eq!(
        calendar.to_string(),
        "Mon-Fri 09:00-18:00@Europe/Moscow, 2025-06-12 closed, 2025-11-01 09:00-17:00"
    );
}

#[test]
fn json_passes_the_same_door() {
    let faulty = r#"{"hours":"Mon 9:00-18:00","zone":"Mars","holidays":["2025-02-30","2025-06-12"],
        "overrides":{"2025-06-12":"09:00-17:00","soon":"never"}}"#;
    let said = serde_json::from_str::<WorkCalendar>(faulty)
        .unwrap_err()
        .to_string();
    for part in [
        "\"9:00\"",
        "\"Mars\"",
        "\"2025-02-30\" is no date",
        "2025-06-12 is both",
        "\"soon\" is no date",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let misspelt = r#"{"hours":"always","zone":"UTC","holiday":["2025-06-12"]}"#;
    assert!(serde_json::from_str::<WorkCalendar>(misspelt).is_err());
}
