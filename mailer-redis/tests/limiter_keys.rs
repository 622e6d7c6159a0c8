//! What the limiter leaves on the server, and by whose clock.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod support;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::ErrorKind;
use mailer_core::clock::VirtualClock;
use mailer_core::domain::{Lane, Scope};
use mailer_core::limiter::{Demand, Grant, RateLimiter};
use mailer_redis::{RedisConfig, RedisRateLimiter};
use testkit::RedisServer;

const NOON: &str = "2026-11-24T12:00:00Z";

struct Rig {
    server: Arc<RedisServer>,
    namespace: String,
    clock: VirtualClock,
    limiter: RedisRateLimiter,
}

impl Rig {
    async fn at(now: &str) -> Self {
        let server = support::server().await;
        let namespace = support::namespace();
        let clock = VirtualClock::at(now.parse().unwrap());
        let config = RedisConfig::new(server.url(), &namespace).clock(Arc::new(clock.clone()));
        let limiter = RedisRateLimiter::connect(&config).await.unwrap();
        Self {
            server,
            namespace,
            clock,
            limiter,
        }
    }

    async fn take(&self, id: &str, n: u32, limits: &[&str]) -> Grant {
        let grants = self.limiter.reserve(&[demand(id, n, limits)]).await;
        grants.unwrap().remove(0)
    }

    async fn get(&self, key: &str) -> String {
        self.ask("GET", key).await
    }

    async fn ask(&self, command: &str, key: &str) -> String {
        let key = format!("{{{}}}:{key}", self.namespace);
        let reply = self.server.command(&[command, &key]).await.unwrap();
        let value = reply.trim_end().lines().last().unwrap();
        value.trim_start_matches(':').to_owned()
    }

    async fn expires_in(&self, key: &str) -> TimeDelta {
        TimeDelta::milliseconds(self.ask("PTTL", key).await.parse().unwrap())
    }
}

fn demand(id: &str, n: u32, limits: &[&str]) -> Demand {
    Demand {
        id: id.to_owned(),
        lane: Lane::Bulk,
        n,
        limits: limits
            .iter()
            .map(|limit| (limit.parse().unwrap(), Scope::Namespace))
            .collect(),
        reserved_percent: 0,
    }
}

/// Up to a minute that the test itself may have taken.
fn about(found: TimeDelta, expected: TimeDelta) -> bool {
    expected - TimeDelta::minutes(1) < found && found <= expected
}

#[tokio::test]
async fn a_calendar_window_is_a_number_to_be_read() {
    let rig = Rig::at(NOON).await;
    rig.take("a", 3, &["10/hour", "10/day@Europe/Moscow"]).await;
    rig.take("b", 4, &["10/hour"]).await;
    assert_eq!(rig.get("rate:hour:2026-11-24:12").await, "7");
    assert_eq!(rig.get("rate:day:2026-11-24@Europe/Moscow").await, "3");
    rig.limiter.refund("a", 2).await.unwrap();
    assert_eq!(rig.get("rate:hour:2026-11-24:12").await, "5");
}

#[tokio::test]
async fn a_counter_outlives_what_it_counts_by_its_grace() {
    let rig = Rig::at(NOON).await;
    let limits = ["10/hour", "10/month", "10/60m rolling", "6/minute pace"];
    rig.take("a", 1, &limits).await;
    let rolling =
        TimeDelta::seconds(3605) + TimeDelta::milliseconds(36_050) + TimeDelta::minutes(10);
    for (key, expected) in [
        ("rate:hour:2026-11-24:12", TimeDelta::minutes(70)),
        ("rate:month:2026-11@UTC", TimeDelta::hours(6 * 24 + 12 + 72)),
        ("rate:rolling:3600s", rolling),
        ("rate:pace:minute", TimeDelta::seconds(10 + 600)),
        ("reservation:a", TimeDelta::seconds(61)),
    ] {
        let found = rig.expires_in(key).await;
        assert!(about(found, expected), "{key}: {found} for {expected}");
    }
    assert!(
        support::without_expiry(&rig.server, &rig.namespace)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_refund_keeps_the_expiry_of_the_window_it_is_for() {
    let rig = Rig::at("2026-11-24T12:59:50Z").await;
    rig.take("a", 5, &["10/hour", "5/s pace", "9/20s rolling"])
        .await;
    rig.take("b", 1, &["10/hour", "5/s pace", "9/20s rolling"])
        .await;
    rig.clock.set_wall("2026-11-24T13:00:20Z".parse().unwrap());
    rig.limiter.refund("a", 3).await.unwrap();
    rig.limiter.refund("a", 5).await.unwrap();
    let found = rig.expires_in("rate:hour:2026-11-24:12").await;
    assert!(about(found, TimeDelta::seconds(580)), "{found}");
    assert!(
        support::without_expiry(&rig.server, &rig.namespace)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_refusal_and_a_look_leave_nothing() {
    let rig = Rig::at(NOON).await;
    rig.take("a", 1, &["0/hour", "5/minute", "5/20s rolling", "5/s pace"])
        .await;
    rig.take("b", 0, &["5/minute", "5/20s rolling", "5/s pace"])
        .await;
    rig.limiter.refund("b", 1).await.unwrap();
    let keys = format!("{{{}}}:*", rig.namespace);
    assert_eq!(
        rig.server.command(&["KEYS", &keys]).await.unwrap(),
        "*0\r\n"
    );
}

#[tokio::test]
async fn a_clock_set_back_by_a_day_frees_no_window_twice_and_stops_nothing() {
    let rig = Rig::at(NOON).await;
    let limits = ["10/hour", "10/60m rolling", "10/s pace"];
    for limit in limits {
        assert!(rig.take(limit, 10, &[limit]).await.granted > 0);
    }
    rig.clock.set_wall("2026-11-23T12:00:00Z".parse().unwrap());
    assert_eq!(rig.take("a", 99, &["10/hour"]).await.granted, 10);
    assert_eq!(rig.take("b", 1, &["10/s pace"]).await.granted, 1);
    // What was counted may be of any hour since.
    let rolling = rig.take("c", 1, &["10/60m rolling"]).await;
    let retry_at = rolling.refusal.and_then(|refusal| refusal.retry_at);
    assert!(rolling.granted == 0 && retry_at.is_some());
    rig.clock.set_wall("2026-11-24T12:01:00Z".parse().unwrap());
    assert_eq!(rig.take("d", 1, &["10/hour"]).await.granted, 0);
}

#[tokio::test]
async fn a_counter_that_is_none_grants_nothing() {
    let rig = Rig::at(NOON).await;
    for (key, limit) in [
        ("rate:hour:2026-11-24:12", "10/hour"),
        ("rate:pace:second", "10/s pace"),
        ("rate:rolling:60s", "10/60s rolling"),
    ] {
        let key = format!("{{{}}}:{key}", rig.namespace);
        rig.server.command(&["SET", &key, "x"]).await.unwrap();
        let demands = [demand(limit, 1, &["9/day", limit])];
        assert!(rig.limiter.reserve(&demands).await.is_err(), "{limit}");
        assert_eq!(rig.take("look", 0, &["9/day"]).await.granted, 0);
    }
    assert_eq!(rig.get("rate:day:2026-11-24@UTC").await, "$-1");
}

#[tokio::test]
async fn more_demands_than_fit_one_call_are_served_in_order() {
    let rig = Rig::at(NOON).await;
    let demands: Vec<Demand> = (0..150)
        .map(|number| demand(&number.to_string(), 1, &["100/hour", "120/day"]))
        .collect();
    let grants = rig.limiter.reserve(&demands).await.unwrap();
    let granted: Vec<bool> = grants.iter().map(|grant| grant.granted == 1).collect();
    assert_eq!(granted.len(), 150);
    assert!(granted[..100].iter().all(|&all| all) && !granted[100..].contains(&true));
}

#[tokio::test]
async fn without_another_clock_the_server_tells_the_time() {
    let server = support::server().await;
    let config = RedisConfig::new(server.url(), support::namespace());
    let limiter = RedisRateLimiter::connect(&config).await.unwrap();
    let before = time_of(&server).await;
    let limits = ["1000/day", "1000/month", "1000/60m rolling"];
    let grant = limiter
        .reserve(&[demand("a", 1, &limits)])
        .await
        .unwrap()
        .remove(0);
    let after = time_of(&server).await;
    assert!(before <= grant.server_now && grant.server_now <= after);
    // In the last moments of a day there is nothing to be had, rightly.
    if grant.granted == 1 {
        let usable = grant.use_by - grant.server_now;
        assert!(
            TimeDelta::zero() < usable && usable <= TimeDelta::seconds(5),
            "{usable}"
        );
    }
}

async fn time_of(server: &RedisServer) -> DateTime<Utc> {
    let reply = server.command(&["TIME"]).await.unwrap();
    let numbers: Vec<i64> = reply.lines().filter_map(|line| line.parse().ok()).collect();
    DateTime::from_timestamp_micros(numbers[0] * 1_000_000 + numbers[1]).unwrap()
}

#[tokio::test]
async fn an_illegal_namespace_and_a_deaf_server_are_told_apart() {
    let refused = |url: &str, namespace: &str| {
        let config = RedisConfig::new(url, namespace);
        async move { RedisRateLimiter::connect(&config).await.unwrap_err().kind() }
    };
    let illegal = refused("redis://127.0.0.1:1/", "crm mailer").await;
    assert_eq!(illegal, ErrorKind::Invalid);
    let deaf = refused("redis://127.0.0.1:1/", "crm:mailer").await;
    assert_eq!(deaf, ErrorKind::Unavailable);
}
