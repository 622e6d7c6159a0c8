use std::time::Duration;

use crate::conformance::Harness;
use crate::conformance::harness::{
    at, batch, campaign, claim_id, is_go, relays, room, seconds, went,
};
use crate::domain::{Lane, Limit, Policy, Scope};
use crate::gate::Verdict;
use crate::queue::{Claim, Room, Settled};

async fn used(harness: &Harness, limit: &str) -> u32 {
    let limits: [(Limit, Scope); 1] = [(limit.parse().unwrap(), Scope::Namespace)];
    harness.limiter.usage(&limits).await.unwrap()[0].used
}

/// A campaign to 20 under this limit, claimed.
async fn under(harness: &Harness, limit: &str) -> Claim {
    harness.limits(&[limit]).await;
    harness.submit(&campaign("c"), 20).await;
    harness.claim(1).await
}

/// Bulk stops short of the cap; a receipt still leaves.
pub async fn a_share_is_reserved_for_other_lanes(harness: &Harness) {
    let policy = Policy::new()
        .limit("10/hour")
        .unwrap()
        .reserved(20)
        .unwrap();
    harness.set_policy(&policy).await;
    harness.submit(&campaign("c"), 20).await;
    let claim = harness.claim(1).await;
    assert_eq!(went(&harness.begin(&claim, 1, 20).await), 8);
    for (number, expected) in [(2, true), (3, true), (4, false)] {
        harness
            .enqueue(&number.to_string(), Lane::Transactional)
            .await;
        let claim = harness.claim(number).await;
        assert_eq!(
            is_go(&harness.begin_one(&claim, 1, 0).await),
            expected,
            "{number}"
        );
    }
}

/// Known not to have reached `MAIL FROM`: as if it had never begun; told twice, once.
pub async fn a_token_that_was_not_used_comes_back(harness: &Harness) {
    let claim = under(harness, "5/hour").await;
    assert_eq!(went(&harness.begin(&claim, 1, 4).await), 4);
    harness.settle(&claim, 0, Settled::NotStarted).await;
    harness.settle(&claim, 1, Settled::NotStarted).await;
    harness.settle(&claim, 1, Settled::NotStarted).await;
    assert_eq!(used(harness, "5/hour").await, 2);
    let begun: Vec<bool> = harness.begin(&claim, 2, 10).await[4..]
        .iter()
        .map(is_go)
        .collect();
    assert_eq!(begun, [true, true, true, false, false, false]);
}

/// A limit that the policy got after the begin has taken no token, so it gets none back.
pub async fn a_token_comes_back_only_where_it_was_taken(harness: &Harness) {
    let claim = under(harness, "5/hour").await;
    assert_eq!(went(&harness.begin(&claim, 1, 2).await), 2);
    harness.limits(&["5/hour", "9/day"]).await;
    let begun = harness.begin(&claim, 2, 3).await;
    assert_eq!(went(&begun[2..]), 1);
    harness.settle(&claim, 0, Settled::NotStarted).await;
    harness.settle(&claim, 1, Settled::NotStarted).await;
    assert_eq!(used(harness, "5/hour").await, 1);
    assert_eq!(used(harness, "9/day").await, 1);
}

/// Sent, refused, unknown: the relay has seen `MAIL FROM`.
pub async fn a_token_that_was_used_is_spent(harness: &Harness) {
    let claim = under(harness, "5/hour").await;
    assert_eq!(went(&harness.begin(&claim, 1, 5).await), 5);
    for (place, settled) in [
        Settled::Sent,
        Settled::Retry { after: None },
        Settled::Returned,
        crate::conformance::harness::ASSUME,
        Settled::Failed(crate::domain::Failure::Message),
    ]
    .into_iter()
    .enumerate()
    {
        harness.settle(&claim, place, settled).await;
    }
    assert_eq!(used(harness, "5/hour").await, 5);
    assert_eq!(went(&harness.begin(&claim, 2, 10).await), 0);
}

/// A place in the batch that is stale costs nobody a token.
pub async fn a_token_of_what_cannot_start_goes_to_the_next(harness: &Harness) {
    let claim = under(harness, "5/hour").await;
    harness.begin(&claim, 1, 2).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    let begun: Vec<bool> = harness
        .begin(&claim, 2, 8)
        .await
        .iter()
        .map(is_go)
        .collect();
    assert_eq!(begun, [false, false, true, true, true, false, false, false]);
    assert_eq!(used(harness, "5/hour").await, 5);
}

/// Begun as late as may be, it is still in its hour.
pub async fn tokens_are_to_be_used_in_their_window(harness: &Harness) {
    let claim = under(harness, "50/hour").await;
    harness.tick(1, &[claim.id]).await;
    let end = at("2026-11-24T10:00:00Z");
    harness.clock.advance_to(end - seconds(50)).await;
    harness.tick(1, &[claim.id]).await;
    let fresh = harness.try_claim(2).await.unwrap_or(claim);
    for (call, before) in (1..).zip([10_000, 3_000, 500, 1]) {
        harness
            .clock
            .advance_to(end - Duration::from_millis(before))
            .await;
        match harness.begin_one(&fresh, call, call as usize).await {
            Verdict::Go { send_by, .. } => assert!(send_by < end, "{before} ms before the end"),
            Verdict::Limited(deferral) => assert_eq!(deferral.until, Some(end)),
            other => panic!("{other:?}"),
        }
    }
}

/// Each sender and each relay has its own count.
pub async fn limits_per_sender_and_relay_are_counted_apart(harness: &Harness) {
    let version = harness
        .limits(&["3/hour per sender", "4/hour per relay"])
        .await;
    for (id, from, relay) in [
        ("a", "x@shop.example", "r"),
        ("b", "y@shop.example", "r"),
        ("c", "x@shop.example", "s"),
    ] {
        harness
            .submit(&campaign(id).from(from).relay(relay), 9)
            .await;
    }
    let room = Room {
        relays: relays(&["r", "s"]),
        ..room()
    };
    let mut claims = Vec::new();
    for number in 1..=3 {
        let claim = harness
            .try_claim_by(claim_id(1, number), room.clone())
            .await;
        claims.push(claim.unwrap());
    }
    let mut begun = std::collections::BTreeMap::new();
    for claim in claims {
        let reply = harness
            .gate
            .begin(&batch(version, &claim, 1, 0..9))
            .await
            .unwrap();
        begun.insert(claim.binding.stream.to_string(), went(&reply.verdicts));
    }
    // Whoever of `a` and `c` came first took the sender's three; `b` takes what the relay has left.
    assert_eq!(begun["a"] + begun["c"], 3, "{begun:?}");
    assert_eq!(begun["b"], (4 - begun["a"]).min(3), "{begun:?}");
}
