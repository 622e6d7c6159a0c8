use std::time::Duration;

use super::{demand, reserve, take, used};
use crate::conformance::Harness;
use crate::conformance::harness::{at, seconds};
use crate::domain::Reason;

/// The minute and the day are full: it is the day that refuses.
pub async fn a_refusal_names_the_limit_that_refuses_longest(harness: &Harness) {
    take(harness, "a", 5, &["5/minute", "5/day"]).await;
    let refusal = reserve(harness, demand("b", 1, &["5/minute", "5/day"]))
        .await
        .refusal
        .unwrap();
    assert_eq!(refusal.reason, Reason::RatePerDay);
    assert_eq!(refusal.retry_at, Some(at("2026-11-25T00:00:00Z")));
}

/// For every kind of limit `retry_at` is exact: a millisecond earlier nothing is granted, and then it is.
pub async fn nothing_is_free_before_retry_at_and_one_is_then(harness: &Harness) {
    for (number, limit) in [
        "3/minute",
        "3/hour",
        "3/day@Europe/Moscow",
        "3/week",
        "3/month",
        "3/10s rolling",
        "3/60m rolling",
        "30/s pace",
        "2/minute pace",
    ]
    .into_iter()
    .enumerate()
    {
        let mut call = 0;
        let mut ask = async |n| {
            call += 1;
            reserve(harness, demand(format!("{number}.{call}"), n, &[limit])).await
        };
        while ask(100).await.granted > 0 {}
        let retry_at = ask(1)
            .await
            .refusal
            .and_then(|refusal| refusal.retry_at)
            .unwrap();
        assert!(retry_at > harness.now(), "{limit}");
        harness
            .clock
            .advance_to(retry_at - Duration::from_millis(1))
            .await;
        assert_eq!(ask(1).await.granted, 0, "{limit}: before {retry_at}");
        harness.clock.advance_to(retry_at).await;
        assert_eq!(ask(1).await.granted, 1, "{limit}: at {retry_at}");
    }
}

/// One wait may end where another limit has just closed: the instant is one at which all have a token.
pub async fn several_limits_name_the_first_instant_at_which_all_agree(harness: &Harness) {
    let limits = ["2/minute", "4/hour", "6/day"];
    let mut begun = Vec::new();
    for call in 0.. {
        let grant = reserve(harness, demand(call.to_string(), 9, &limits)).await;
        if grant.granted > 0 {
            begun.push((harness.now(), grant.granted));
            continue;
        }
        let retry_at = grant.refusal.unwrap().retry_at.unwrap();
        if retry_at >= at("2026-11-25T00:00:00Z") {
            break;
        }
        harness.clock.advance_to(retry_at).await;
    }
    let expected = [
        (at("2026-11-24T09:00:00Z"), 2),
        (at("2026-11-24T09:01:00Z"), 2),
        (at("2026-11-24T10:00:00Z"), 2),
    ];
    assert_eq!(begun, expected);
}

/// Less than all is granted: the refusal says what bound it, and when one more can be had.
pub async fn a_partial_grant_says_when_there_is_more(harness: &Harness) {
    let grant = reserve(harness, demand("a", 9, &["100/day", "5/hour"])).await;
    assert_eq!(grant.granted, 5);
    let refusal = grant.refusal.unwrap();
    assert_eq!(refusal.reason, Reason::RatePerHour);
    assert_eq!(refusal.retry_at, Some(at("2026-11-24T10:00:00Z")));
    let all = reserve(harness, demand("b", 9, &["100/day"])).await;
    assert_eq!((all.granted, all.refusal), (9, None));
}

/// A cap of nought is closed until it changes: no instant to wait for.
pub async fn a_closed_limit_names_no_instant(harness: &Harness) {
    for limit in ["0/hour", "0/10m rolling", "0/s pace"] {
        let grant = reserve(harness, demand(limit, 1, &["5/day", limit])).await;
        let refusal = grant.refusal.unwrap();
        assert_eq!(grant.granted, 0, "{limit}");
        assert_eq!(refusal.reason, Reason::LimitClosed, "{limit}");
        assert_eq!(refusal.retry_at, None, "{limit}");
    }
    assert_eq!(used(harness, "5/day").await, 0);
}

/// Numbers are no part of a limit's identity.
pub async fn a_raised_cap_gives_the_difference_and_a_lowered_one_acts_at_once(harness: &Harness) {
    assert_eq!(take(harness, "a", 99, &["10/hour"]).await, 10);
    assert_eq!(take(harness, "b", 99, &["15/hour"]).await, 5);
    assert_eq!(take(harness, "c", 99, &["7/hour"]).await, 0);
    assert_eq!(take(harness, "d", 99, &["15/hour"]).await, 0);
    harness.pass(seconds(3600)).await;
    assert_eq!(take(harness, "e", 99, &["7/hour"]).await, 7);
}
