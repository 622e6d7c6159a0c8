use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn simulate(limits: &[&str], hours: Option<(&str, &str)>, start: &str, n: u64) -> Timeline {
    let mut policy = Policy::new();
    for limit in limits {
        policy = policy.limit(limit).unwrap();
    }
    if let Some((hours, zone)) = hours {
        policy = policy.hours(hours, zone).unwrap();
    }
    let timeline = policy.simulate(at(start), n);
    assert_tiles(&timeline);
    timeline
}

/// No gaps, nothing twice, every mail in some hour.
fn assert_tiles(timeline: &Timeline) {
    let mut end = Some(timeline.starts_at);
    let mut counted = 0;
    for stretch in &timeline.stretches {
        assert_eq!(Some(stretch.from), end, "{timeline}");
        end = stretch.until;
        if let StretchKind::Sending { count } = stretch.kind {
            counted += count;
        }
    }
    let by_hour: u64 = timeline.hours.iter().map(|(_, count)| count).sum();
    assert_eq!((counted, by_hour), (timeline.begun, timeline.begun));
    if let Some(finished_at) = timeline.finished_at {
        assert_eq!(timeline.begun, timeline.recipients);
        assert_eq!(end, Some(finished_at));
    }
}

const MOSCOW: Option<(&str, &str)> = Some(("Mon-Fri 09:00-18:00", "Europe/Moscow"));

#[test]
fn the_table_shows_both_clocks() {
    let timeline = simulate(&["100/hour"], MOSCOW, "2026-11-24T13:30:00Z", 250);
    let expected = "\
Europe/Moscow            UTC                 
Tue 2026-11-24 16:30:00  2026-11-24T13:30:00Z  sends 100
Tue 2026-11-24 16:30:00  2026-11-24T13:30:00Z  waits 30m: rate_per_hour
Tue 2026-11-24 17:00:00  2026-11-24T14:00:00Z  sends 100
Tue 2026-11-24 17:00:00  2026-11-24T14:00:00Z  waits 16h: rate_per_hour, moved by outside_hours
Wed 2026-11-25 09:00:00  2026-11-25T06:00:00Z  sends 50
Wed 2026-11-25 09:00:00  2026-11-25T06:00:00Z  the last of 250 begins
";
    assert_eq!(timeline.to_string(), expected);
}

#[test]
fn over_the_limit_at_half_past_five_it_goes_on_at_the_next_work_start() {
    let timeline = simulate(&["100/hour"], MOSCOW, "2026-11-24T14:30:00Z", 150);
    assert_eq!(timeline.finished_at, Some(at("2026-11-25T06:00:00Z")));
    let StretchKind::Waiting { reason, detail } = &timeline.stretches[1].kind else {
        panic!("{timeline}");
    };
    assert_eq!(*reason, Reason::RatePerHour);
    assert_eq!(detail.as_deref(), Some("outside_hours"));
}

#[test]
fn a_weekend_on_which_clocks_change_is_as_long_as_it_is() {
    // Berlin leaves summer time on Sunday, 2026-10-25.
    let hours = Some(("Mon-Fri 09:00-17:00", "Europe/Berlin"));
    let timeline = simulate(
        &["1000/day@Europe/Berlin"],
        hours,
        "2026-10-23T07:00:00Z",
        1500,
    );
    assert_eq!(timeline.finished_at, Some(at("2026-10-26T08:00:00Z")));
    assert_eq!(
        timeline.hours,
        [
            (at("2026-10-23T07:00:00Z"), 1000),
            (at("2026-10-26T08:00:00Z"), 500)
        ]
    );
}

#[test]
fn without_rules_all_leave_at_once() {
    for n in [1, u64::MAX] {
        let timeline = simulate(&[], None, "2026-11-24T14:30:00Z", n);
        assert_eq!(timeline.finished_at, Some(timeline.starts_at));
        assert_eq!(timeline.stretches.len(), 1);
    }
    let nobody = simulate(&["0/hour"], None, "2026-11-24T14:30:00Z", 0);
    assert_eq!(nobody.finished_at, Some(nobody.starts_at));
}

#[test]
fn a_limit_of_zero_is_waited_for_without_end() {
    let timeline = simulate(&["0/hour", "9/minute"], None, "2026-11-24T14:30:00Z", 10);
    assert_eq!(timeline.ending, Ending::LimitClosed);
    assert_eq!((timeline.finished_at, timeline.begun), (None, 0));
    assert_eq!(timeline.stretches[0].until, None);
    assert!(
        timeline
            .to_string()
            .contains("waits until the policy changes: limit_closed")
    );
}

#[test]
fn hours_that_never_open_halt_it() {
    let closed = Some(("never", "UTC"));
    let timeline = simulate(&["9/minute"], closed, "2026-11-24T14:30:00Z", 10);
    assert!(matches!(timeline.ending, Ending::NoOpening { .. }));
    assert_eq!((timeline.finished_at, timeline.stretches.len()), (None, 0));
}

#[test]
fn a_pace_is_one_stretch_until_work_ends() {
    let timeline = simulate(&["14/s pace"], MOSCOW, "2026-11-23T06:00:00Z", 1_000_000);
    // 9 hours, one mail each 71 429 us.
    let a_day = 9 * 3600 * 1_000_000_u64 / 71_429 + 1;
    assert_eq!(
        timeline.stretches[0].kind,
        StretchKind::Sending { count: a_day }
    );
    assert_eq!(timeline.stretches.len(), 5, "{timeline}");
    assert_eq!(timeline.hours.len(), 20);
}

#[test]
fn short_pauses_are_part_of_the_sending() {
    let timeline = simulate(&["60/minute"], None, "2026-11-24T14:30:30Z", 1_000);
    assert_eq!(timeline.stretches.len(), 1, "{timeline}");
    assert_eq!(timeline.finished_at, Some(at("2026-11-24T14:46:00Z")));
}

#[test]
fn what_takes_too_long_is_said_and_bounded() {
    let horizon = simulate(&["1/day"], None, "2026-11-24T14:30:00Z", 1_000);
    assert_eq!(horizon.begun, 401);
    assert!(
        matches!(horizon.ending, Ending::TooLong { .. }),
        "{horizon}"
    );
    let stretches = simulate(&["1/3m rolling"], None, "2026-11-24T14:30:00Z", 1_000_000);
    assert_eq!(stretches.stretches.len(), Timeline::MOST_STRETCHES);
    assert!(stretches.to_string().contains("... 9950 more lines ..."));
    let pace = simulate(
        &["4294967295/s pace"],
        None,
        "2026-11-24T14:30:00Z",
        u64::MAX,
    );
    assert!(matches!(pace.ending, Ending::TooLong { .. }));
}

#[test]
fn the_ends_of_time_are_no_panic() {
    for start in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        for limit in ["9/minute", "9/day@Asia/Tokyo", "9/60m rolling", "9/s pace"] {
            let policy = Policy::new().limit(limit).unwrap();
            let policy = policy.hours("Mon-Fri 22:00-06:00", "Asia/Tokyo").unwrap();
            let timeline = policy.simulate(start, 100);
            assert!(!timeline.to_string().is_empty());
        }
    }
}
