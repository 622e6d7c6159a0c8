use super::*;

fn day(zone: &str, date: &str) -> String {
    let zone: Zone = zone.parse().unwrap();
    zone.day_start(date.parse().unwrap()).to_string()
}

#[test]
fn days_start_where_the_clock_says_so() {
    for (zone, date, start) in [
        ("Europe/Moscow", "2025-06-02", "2025-06-01T21:00:00Z"),
        ("Europe/Moscow", "2025-06-03", "2025-06-02T21:00:00Z"),
        ("Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00Z"),
        ("Europe/Berlin", "2025-03-31", "2025-03-30T22:00:00Z"),
        ("Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00Z"),
        ("Europe/Berlin", "2025-10-27", "2025-10-26T23:00:00Z"),
        ("Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00:00Z"),
        ("Australia/Lord_Howe", "2025-04-07", "2025-04-06T13:30:00Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-05", "2018-11-05T02:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z"),
    ] {
        assert_eq!(day(zone, date), start, "{zone} {date}");
    }
}

/// Inside a span of one offset a civil reading is a plain sum, so the first second of a date is easy to find there.
fn day_start_by_spans(zone: &Zone, date: Date) -> i64 {
    let midnight = date
        .at(0, 0, 0, 0)
        .to_zoned_datetime(TimeZone::UTC)
        .unwrap()
        .timestamp()
        .as_second();
    let mut span = midnight - 3 * 86_400;
    loop {
        let start = span.max(midnight - zone.offset_at(span));
        match zone.shift_after(span) {
            Some(end) if start >= end => span = end,
            _ => return start,
        }
    }
}

#[test]
fn days_start_right_around_every_change_of_every_zone() {
    for name in TimeZoneDatabase::bundled().available() {
        let Ok(zone) = name.as_str().parse::<Zone>() else {
            continue;
        };
        let since = "1900-01-01T00:00:00Z".parse().unwrap();
        let until = "2040-01-01T00:00:00Z".parse().unwrap();
        for change in zone.0.following(since) {
            if change.timestamp() > until {
                break;
            }
            let near = zone.date(change.timestamp());
            for days in -2..=2 {
                let date = near.checked_add(jiff::Span::new().days(days)).unwrap();
                assert_eq!(
                    zone.day_start(date).as_second(),
                    day_start_by_spans(&zone, date),
                    "{name} {date}"
                );
            }
        }
    }
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    for zone in ["UTC", "Europe/Berlin", "Pacific/Apia", "Asia/Calcutta"] {
        let zone: Zone = zone.parse().unwrap();
        assert!(zone.day_start(Date::MIN) <= zone.day_start(Date::MAX));
        zone.offset_at(i64::MIN);
        zone.offset_at(i64::MAX);
        zone.shift_after(i64::MIN);
        assert_eq!(zone.shift_after(i64::MAX), None);
    }
    assert_eq!(to_jiff(DateTime::<Utc>::MIN_UTC), Timestamp::MIN);
    assert_eq!(to_jiff(DateTime::<Utc>::MAX_UTC), Timestamp::MAX);
}

#[test]
fn instants_survive_the_way_there_and_back() {
    for text in [
        "1969-12-31T23:59:59.500Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000000001Z",
        "2025-06-02T05:59:59.999Z",
        "0001-01-01T00:00:00.25Z",
    ] {
        let at: DateTime<Utc> = text.parse().unwrap();
        assert_eq!(to_chrono(to_jiff(at)), at);
    }
}

#[test]
fn names() {
    assert_eq!(
        "europe/moscow".parse::<Zone>().unwrap().name(),
        "Europe/Moscow"
    );
    assert_eq!(
        "Asia/Calcutta".parse::<Zone>().unwrap().name(),
        "Asia/Calcutta"
    );
    assert_eq!("utc".parse::<Zone>().unwrap(), Zone::utc());
    for name in [
        "",
        "localtime",
        "Etc/Unknown",
        "right/Europe/Moscow",
        "posix/UTC",
        "../UTC",
        "MSK-3",
    ] {
        assert_eq!(name.parse::<Zone>(), Err(ZoneError(name.to_owned())));
    }
}
