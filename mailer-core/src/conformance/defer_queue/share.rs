use std::collections::BTreeMap;
use std::time::Duration;

use crate::conformance::Harness;
use crate::conformance::harness::{
    at, campaign, claim_id, defer, message, relay, relays, room, seconds,
};
use crate::domain::{Lane, Policy, Reason, Scope};
use crate::queue::{Defer, Room, Settled, Wait};

/// Test mails first, then transactional ones, then campaigns; whoever came first.
pub async fn lanes_go_in_order(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 3).await;
    harness.enqueue("a", Lane::Transactional).await;
    harness.enqueue("b", Lane::Test).await;
    for (number, lane) in (1..).zip(Lane::ALL) {
        assert_eq!(harness.claim(number).await.binding.lane, lane);
    }
}

/// Twice the weight, twice the mails.
pub async fn streams_share_fairly_by_weight(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    for (id, weight) in [("a", 1), ("b", 2), ("c", 4)] {
        harness.submit(&campaign(id).weight(weight), 40 * 128).await;
    }
    let mut pages = BTreeMap::new();
    for number in 0..35 {
        let claim = harness.claim(number).await;
        *pages.entry(claim.binding.stream.to_string()).or_insert(0) += 1;
    }
    let share = |id: &str| pages.get(id).copied().unwrap_or(0);
    assert!((4..=6).contains(&share("a")), "{pages:?}");
    assert!((9..=11).contains(&share("b")), "{pages:?}");
    assert!((19..=21).contains(&share("c")), "{pages:?}");
}

/// Who comes late shares from then on, and does not catch up.
pub async fn a_newcomer_starts_level(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("old"), 40 * 128).await;
    for number in 0..20 {
        harness.claim(number).await;
    }
    harness.submit(&campaign("new"), 40 * 128).await;
    let mut new = 0;
    for number in 20..30 {
        new += usize::from(harness.claim(number).await.binding.stream.as_str() == "new");
    }
    assert!((4..=6).contains(&new), "{new} of 10");
}

/// Pages that come back untouched are not service.
pub async fn what_did_not_begin_is_not_charged(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("a"), 128).await;
    harness.submit(&campaign("b"), 128).await;
    for number in 0..9 {
        let claim = harness.claim(number).await;
        assert_eq!(claim.binding.stream.as_str(), "a");
        harness.settle_all(&claim, Settled::NotStarted).await;
    }
}

/// A closed relay, sender or campaign hides nothing behind it; a closed namespace closes all.
pub async fn closed_scopes_are_passed_over(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let room = || Room {
        relays: relays(&["default", "second"]),
        ..room()
    };
    for i in 0..40 {
        harness
            .submit(&campaign(&format!("a{i}")).from("a@shop.example"), 1)
            .await;
    }
    harness
        .submit(&campaign("b").from("b@shop.example").relay("second"), 1)
        .await;
    harness
        .submit(&campaign("c").from("c@shop.example").relay("second"), 1)
        .await;
    harness
        .submit(&campaign("d").from("d@shop.example").relay("second"), 1)
        .await;
    harness
        .defer(
            Scope::Relay(relay("default")),
            Reason::TransientError,
            Wait::For(seconds(300)),
        )
        .await;
    harness
        .defer(
            Scope::sender("b@shop.example"),
            Reason::RelayLimited,
            Wait::For(seconds(300)),
        )
        .await;
    harness
        .defer(
            Scope::Campaign("c".to_owned()),
            Reason::ComposeUnavailable,
            Wait::For(seconds(300)),
        )
        .await;
    let open = harness.try_claim_by(claim_id(1, 1), room()).await.unwrap();
    assert_eq!(open.binding.stream.as_str(), "d");
    assert!(harness.try_claim_by(claim_id(1, 2), room()).await.is_none());
    harness.settle_all(&open, Settled::NotStarted).await;
    harness
        .defer(
            Scope::Namespace,
            Reason::LimiterUnavailable,
            Wait::For(seconds(10)),
        )
        .await;
    assert!(harness.try_claim_by(claim_id(1, 3), room()).await.is_none());
    harness.pass(seconds(300)).await;
    for number in 4..47 {
        assert!(
            harness
                .try_claim_by(claim_id(1, number), room())
                .await
                .is_some(),
            "{number}"
        );
    }
}

/// A wait of campaigns leaves receipts alone.
pub async fn a_closed_lane_leaves_the_others_open(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let bulk = Defer {
        lane: Some(Lane::Bulk),
        ..defer(
            Scope::Namespace,
            Reason::RatePerHour,
            Wait::For(seconds(60)),
        )
    };
    harness.queue.defer(&bulk).await.unwrap();
    assert!(harness.try_claim(1).await.is_none());
    harness.enqueue("a", Lane::Transactional).await;
    assert_eq!(harness.claim(2).await.binding.lane, Lane::Transactional);
    harness.pass(seconds(60)).await;
    assert_eq!(harness.claim(3).await.binding.lane, Lane::Bulk);
}

/// The first instant at which something opens or is due; none if nothing waits for an instant.
pub async fn an_empty_claim_says_when_to_ask_again(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    assert_eq!(harness.next_due(1).await, None);
    harness
        .submit(&campaign("a").starts_at(at("2026-11-24T12:00:00Z")), 1)
        .await;
    assert_eq!(harness.next_due(2).await, Some(at("2026-11-24T12:00:00Z")));
    harness.submit(&campaign("b"), 1).await;
    harness
        .defer(
            Scope::Namespace,
            Reason::LimiterUnavailable,
            Wait::For(seconds(90)),
        )
        .await;
    assert_eq!(harness.next_due(3).await, Some(at("2026-11-24T09:01:30Z")));
    assert_eq!(
        harness.tick(1, &[]).await.next_due,
        Some(at("2026-11-24T09:01:30Z"))
    );
    harness.pass(Duration::from_secs(90)).await;
    harness.claim(4).await;
    let mail = message("m").relay("another").check().unwrap();
    harness.intake.enqueue(&mail).await.unwrap();
    assert_eq!(harness.next_due(5).await, Some(at("2026-11-24T12:00:00Z")));
}
