//! A forecast beside the real engine under virtual time: the same mails in the same hours, and the same end.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use mailer_core::domain::{Campaign, Policy, Recipient};
use mailer_core::sim::Sim;
use mailer_core::template::Template;

const MOSCOW: Option<(&str, &str)> = Some(("Mon-Fri 09:00-18:00", "Europe/Moscow"));

fn agrees(limits: &[&str], hours: Option<(&str, &str)>, reserved: u8, start: &str, n: u64) {
    let start: DateTime<Utc> = start.parse().unwrap();
    let mut policy = Policy::new().reserved(reserved).unwrap();
    for limit in limits {
        policy = policy.limit(limit).unwrap();
    }
    if let Some((hours, zone)) = hours {
        policy = policy.hours(hours, zone).unwrap();
    }
    let timeline = policy.simulate(start, n);

    let sim = Sim::at(start);
    let finished_at = sim.run(async |sim| {
        sim.set_policy(&policy).await.unwrap();
        sim.start_worker();
        let campaign = Campaign::new("spring")
            .from("news@shop.example")
            .template(Template::new("Spring").text("It is here."));
        let recipients = (0..n).map(|i| Recipient::new(format!("user{i}@example.com")));
        let spring = sim.mailer().submit(&campaign, recipients).await.unwrap().id;
        let weeks = Duration::from_secs(60 * 86_400);
        let done = sim.until_finished(&spring, weeks).await.unwrap();
        assert_eq!(done.counts.sent, n, "{done}");
        done.finished_at
    });
    let mut hours: BTreeMap<DateTime<Utc>, u64> = BTreeMap::new();
    for mail in sim.relay().mails() {
        let hour = mail.begun_at.duration_trunc(TimeDelta::hours(1)).unwrap();
        *hours.entry(hour).or_default() += 1;
    }
    let hours: Vec<_> = hours.into_iter().collect();
    assert_eq!(timeline.hours, hours, "{limits:?}\n{timeline}");
    assert_eq!(timeline.finished_at, finished_at, "{limits:?}\n{timeline}");
}

#[test]
fn an_hourly_limit() {
    agrees(&["100/hour"], None, 0, "2026-11-24T09:30:00Z", 350);
}

#[test]
fn an_hourly_limit_that_meets_the_end_of_work() {
    agrees(&["100/hour"], MOSCOW, 0, "2026-11-24T14:30:00Z", 350);
}

#[test]
fn a_submit_at_night_before_a_weekend() {
    agrees(&["40/hour"], MOSCOW, 0, "2026-11-27T20:00:00Z", 500);
}

#[test]
fn a_day_and_a_minute_together() {
    let limits = ["20/minute", "130/day@Europe/Moscow per sender"];
    agrees(&limits, MOSCOW, 0, "2026-11-25T12:34:56Z", 500);
}

#[test]
fn a_rolling_limit() {
    agrees(&["50/60m rolling"], None, 0, "2026-11-24T09:59:59Z", 333);
}

#[test]
fn a_pace_with_a_limit_over_it() {
    let limits = ["14/s pace", "300/hour"];
    agrees(&limits, None, 0, "2026-11-24T09:59:30Z", 900);
}

#[test]
fn a_pace_with_a_rolling_limit_over_it() {
    let limits = ["7/s pace per relay", "100/60s rolling"];
    agrees(&limits, None, 0, "2026-11-24T09:59:30.123456789Z", 500);
}

#[test]
fn a_slow_pace_and_working_hours() {
    agrees(&["10/hour pace"], MOSCOW, 0, "2026-11-24T14:01:00Z", 120);
}

#[test]
fn a_reserved_share() {
    agrees(
        &["100/hour", "50/s pace"],
        None,
        15,
        "2026-11-24T09:30:00Z",
        200,
    );
}

#[test]
fn weekends_on_which_clocks_change() {
    let berlin = Some(("Fri 22:00-06:00,Sun 01:00-04:00", "Europe/Berlin"));
    for start in ["2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z"] {
        agrees(&["20/hour", "150/day@Europe/Berlin"], berlin, 0, start, 260);
    }
}

#[test]
fn a_week_of_a_month() {
    let limits = [
        "10/hour",
        "60/week@America/New_York",
        "100/month@Europe/Moscow",
    ];
    agrees(&limits, MOSCOW, 0, "2026-11-24T09:30:00Z", 180);
}
