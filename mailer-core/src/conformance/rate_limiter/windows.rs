use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{demand, lines, reserve, take, used};
use crate::conformance::Harness;
use crate::conformance::harness::{at, minutes, seconds};

/// A token is void before its window ends; in the last moments of a window none is granted.
pub async fn tokens_are_to_be_used_before_their_window_ends(harness: &Harness) {
    let end = at("2026-11-24T10:00:00Z");
    for (number, instant) in ["09:00:00Z", "09:59:50Z", "09:59:58Z", "09:59:59.999Z"]
        .into_iter()
        .enumerate()
    {
        harness.to(&format!("2026-11-24T{instant}")).await;
        let grant = reserve(harness, demand(number.to_string(), 1, &["100/hour"])).await;
        assert_eq!(grant.server_now, harness.now());
        assert!(
            grant.granted == 0 || (grant.use_by < end && grant.use_by > harness.now()),
            "{grant:?}"
        );
        assert!(
            grant.use_by - harness.now() <= TimeDelta::seconds(5),
            "{grant:?}"
        );
    }
    assert_eq!(take(harness, "late", 1, &["100/hour"]).await, 0);
}

/// From minute 0 to minute 0.
pub async fn hours_are_of_the_utc_clock(harness: &Harness) {
    harness.to("2026-11-24T09:59:00Z").await;
    assert_eq!(take(harness, "a", 99, &["10/hour"]).await, 10);
    harness.to("2026-11-24T10:00:00Z").await;
    assert_eq!(take(harness, "b", 99, &["10/hour"]).await, 10);
    let usage = harness.limiter.usage(&lines(&["10/hour"])).await.unwrap();
    assert_eq!(usage[0].window_ends, Some(at("2026-11-24T11:00:00Z")));
}

/// A Moscow day ends at 21:00 UTC.
pub async fn days_are_of_the_limits_zone(harness: &Harness) {
    assert_eq!(take(harness, "a", 99, &["10/day@Europe/Moscow"]).await, 10);
    harness.to("2026-11-24T20:59:59Z").await;
    assert_eq!(take(harness, "b", 99, &["10/day@Europe/Moscow"]).await, 0);
    harness.to("2026-11-24T21:00:00Z").await;
    assert_eq!(take(harness, "c", 99, &["10/day@Europe/Moscow"]).await, 10);
}

/// Never more than the cap in any stretch, counted by the latest instant at which each token may be used; and the limit
/// is not so careful that it starves.
pub async fn rolling_limits_hold_in_any_stretch(harness: &Harness) {
    let mut tokens: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    for call in 0..400 {
        let grant = reserve(
            harness,
            demand(call.to_string(), 1 + call % 3, &["10/60s rolling"]),
        )
        .await;
        let token = (harness.now(), grant.use_by);
        tokens.extend(std::iter::repeat_n(token, grant.granted as usize));
        harness
            .pass(Duration::from_millis(u64::from(1_700 * (call % 5))))
            .await;
    }
    // Used as late as may be by one, and as early as may be by the next: the densest that there can be.
    for (number, (_, used_at)) in tokens.iter().enumerate() {
        let close = tokens[number..]
            .iter()
            .filter(|(granted_at, _)| *granted_at < *used_at + minutes(1));
        assert!(
            close.count() <= 10,
            "more than 10 in a minute after {used_at}"
        );
    }
    let stretches = (harness.now() - at("2026-11-24T09:00:00Z")).num_minutes();
    assert!(
        tokens.len() as i64 >= 10 * stretches * 8 / 10,
        "{} in {stretches} minutes",
        tokens.len()
    );
}

/// Evenly spaced: a second's worth in a second, not all at its start.
pub async fn paces_are_even(harness: &Harness) {
    let mut granted = 0;
    for call in 0..1_000 {
        let now = take(harness, call.to_string(), 100, &["20/s pace"]).await;
        assert!(now <= 2, "{now} at once");
        granted += now;
        harness.pass(Duration::from_millis(10)).await;
    }
    assert!((198..=202).contains(&granted), "{granted} in 10 s");
}

/// A window that was full is full when the clock comes by again.
pub async fn a_clock_set_back_grants_nothing_extra(harness: &Harness) {
    harness.to("2026-11-24T09:59:00Z").await;
    assert_eq!(take(harness, "a", 99, &["10/hour"]).await, 10);
    harness.to("2026-11-24T10:00:30Z").await;
    assert_eq!(take(harness, "b", 4, &["10/hour"]).await, 4);
    harness.clock.set_wall(at("2026-11-24T09:58:00Z"));
    assert_eq!(take(harness, "c", 99, &["10/hour"]).await, 0);
    harness.to("2026-11-24T10:00:00Z").await;
    assert_eq!(take(harness, "d", 99, &["10/hour"]).await, 6);
}

/// Whoever reserved and died has cost its window, and no later one.
pub async fn unused_reservations_cost_their_window_only(harness: &Harness) {
    assert_eq!(take(harness, "a", 99, &["10/hour"]).await, 10);
    harness.pass(seconds(3600)).await;
    assert_eq!(take(harness, "b", 99, &["10/hour"]).await, 10);
}

/// What is used, of windows that are over nothing.
pub async fn usage_shows_what_counts(harness: &Harness) {
    assert_eq!(used(harness, "10/hour").await, 0);
    take(harness, "a", 3, &["10/hour", "10/10s rolling"]).await;
    assert_eq!(used(harness, "10/hour").await, 3);
    assert_eq!(used(harness, "10/10s rolling").await, 3);
    harness.pass(seconds(3600)).await;
    assert_eq!(used(harness, "10/hour").await, 0);
    assert_eq!(used(harness, "10/10s rolling").await, 0);
}
