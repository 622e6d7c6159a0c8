use super::*;
use crate::domain::ScopeKind;

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn at(text: &str) -> Micros {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

fn granted(decision: Decision) -> u32 {
    match decision {
        Decision::Granted { granted, .. } => granted,
        Decision::Refused { .. } => 0,
    }
}

const SECOND: i64 = 1_000_000;

#[test]
fn all_limits_move_by_the_same_number() {
    let (hour, day) = (limit("100/hour"), limit("30/day"));
    let scope = Scope::Namespace;
    let demand = [
        Line {
            limit: &hour,
            scope: &scope,
        },
        Line {
            limit: &day,
            scope: &scope,
        },
    ];
    let (mut ledger, now) = (Ledger::new(), at("2026-11-24T09:00:00Z"));
    let decision = ledger.reserve(&demand, Lane::Bulk, 0, 50, now);
    assert_eq!(
        decision,
        Decision::Granted {
            granted: 30,
            use_by: now + 5 * SECOND,
            bound_by: Some(1),
            retry_at: Some(at("2026-11-25T00:00:00Z")),
        }
    );
    assert_eq!(ledger.usage(&hour, &scope, now).used, 30);
    assert_eq!(
        ledger.reserve(&demand, Lane::Bulk, 0, 1, now),
        Decision::Refused {
            line: 1,
            reason: "rate_per_day",
            retry_at: Some(at("2026-11-25T00:00:00Z")),
        }
    );
    assert_eq!(ledger.usage(&hour, &scope, now).used, 30);
}

#[test]
fn scopes_and_lanes_are_counted_apart() {
    let relay = limit("2/hour per relay");
    assert_eq!(relay.per(), ScopeKind::Relay);
    let bulk = limit("1/hour lanes bulk");
    let (a, b): (Scope, Scope) = ("relay:a".parse().unwrap(), "relay:b".parse().unwrap());
    let (mut ledger, now) = (Ledger::new(), at("2026-11-24T09:00:00Z"));
    let mut ask = |scope, lane| {
        let lines = [
            Line {
                limit: &relay,
                scope,
            },
            Line {
                limit: &bulk,
                scope: &Scope::Namespace,
            },
        ];
        granted(ledger.reserve(&lines, lane, 0, 9, now))
    };
    assert_eq!(ask(&a, Lane::Test), 2);
    assert_eq!(ask(&a, Lane::Test), 0);
    assert_eq!(ask(&b, Lane::Bulk), 1);
    assert_eq!(ask(&b, Lane::Bulk), 0);
    assert_eq!(ask(&b, Lane::Transactional), 1);
}

#[test]
fn bulk_leaves_the_reserve_to_the_others() {
    let hour = limit("10/hour");
    let lines = [Line {
        limit: &hour,
        scope: &Scope::Namespace,
    }];
    let (mut ledger, now) = (Ledger::new(), at("2026-11-24T09:00:00Z"));
    assert_eq!(granted(ledger.reserve(&lines, Lane::Bulk, 30, 99, now)), 7);
    assert_eq!(granted(ledger.reserve(&lines, Lane::Bulk, 30, 99, now)), 0);
    assert_eq!(granted(ledger.reserve(&lines, Lane::Test, 30, 99, now)), 3);
}

#[test]
fn a_limit_said_twice_is_counted_once_under_the_lower_cap() {
    let (low, high) = (limit("3/hour"), limit("5/hour"));
    let scope = Scope::Namespace;
    let lines = [
        Line {
            limit: &high,
            scope: &scope,
        },
        Line {
            limit: &low,
            scope: &scope,
        },
    ];
    let (mut ledger, now) = (Ledger::new(), at("2026-11-24T09:00:00Z"));
    assert_eq!(granted(ledger.reserve(&lines, Lane::Bulk, 0, 2, now)), 2);
    assert_eq!(ledger.usage(&low, &scope, now).used, 2);
    assert_eq!(granted(ledger.reserve(&lines, Lane::Bulk, 0, 2, now)), 1);
    ledger.give_back(&lines, Lane::Bulk, 1, now);
    assert_eq!(ledger.usage(&low, &scope, now).used, 2);
}

#[test]
fn usage_tells_window_and_when_a_token_is_free() {
    let day = limit("2/day@Europe/Moscow");
    let scope = Scope::Namespace;
    let (mut ledger, now) = (Ledger::new(), at("2026-11-24T09:00:00Z"));
    let untouched = ledger.usage(&day, &scope, now);
    assert_eq!((untouched.used, untouched.free_at), (0, Some(now.into())));
    ledger.reserve(
        &[Line {
            limit: &day,
            scope: &scope,
        }],
        Lane::Bulk,
        0,
        2,
        now,
    );
    let usage = ledger.usage(&day, &scope, now);
    let (start, end) = (
        at("2026-11-23T21:00:00Z").into(),
        at("2026-11-24T21:00:00Z").into(),
    );
    assert_eq!((usage.used, usage.cap), (2, 2));
    assert_eq!(
        (usage.window, usage.free_at),
        (Some((start, end)), Some(end))
    );
    assert_eq!(ledger.usage(&day.with_cap(0), &scope, now).free_at, None);
}

#[test]
fn what_counts_nothing_any_more_is_dropped_after_its_grace() {
    let (minute, now) = (limit("5/minute per campaign"), at("2026-11-24T09:00:00Z"));
    let mut ledger = Ledger::new();
    for campaign in 0..5000_i64 {
        let scope = Scope::Campaign(campaign.to_string());
        let later = now + campaign * SECOND;
        ledger.reserve(
            &[Line {
                limit: &minute,
                scope: &scope,
            }],
            Lane::Bulk,
            0,
            1,
            later,
        );
    }
    assert!(ledger.len() < 2100, "{}", ledger.len());
    ledger.prune(now + (5000 + 61 + 600) * SECOND);
    assert!(ledger.is_empty());
}

#[test]
fn nothing_bounds_a_demand_without_limits() {
    let now = at("2026-11-24T09:00:00Z");
    assert_eq!(
        granted(Ledger::new().reserve(&[], Lane::Bulk, 0, 7, now)),
        7
    );
}

#[test]
fn a_wait_that_ends_as_another_window_closes_goes_on_to_the_next() {
    // The pace has its next token 100 ms before the minute ends: too late to be used in it.
    let (pace, minute) = (limit("6/minute pace"), limit("9/minute"));
    let scope = Scope::Namespace;
    let lines = [
        Line {
            limit: &pace,
            scope: &scope,
        },
        Line {
            limit: &minute,
            scope: &scope,
        },
    ];
    let (mut ledger, now) = (Ledger::new(), at("2026-11-24T09:00:49.900Z"));
    assert_eq!(granted(ledger.reserve(&lines, Lane::Bulk, 0, 1, now)), 1);
    assert_eq!(
        ledger.reserve(&lines, Lane::Bulk, 0, 1, now + SECOND),
        Decision::Refused {
            line: 0,
            reason: "pacing",
            retry_at: Some(at("2026-11-24T09:01:00Z")),
        }
    );
}

#[test]
fn a_closed_limit_refuses_for_ever() {
    let (closed, hour) = (limit("0/s pace"), limit("0/hour"));
    let scope = Scope::Namespace;
    for closed in [&closed, &hour] {
        let lines = [Line {
            limit: closed,
            scope: &scope,
        }];
        assert_eq!(
            Ledger::new().reserve(&lines, Lane::Bulk, 50, 1, at("2026-11-24T09:00:00Z")),
            Decision::Refused {
                line: 0,
                reason: "limit_closed",
                retry_at: None,
            }
        );
    }
}
