use std::time::Duration;

use crate::conformance::Harness;
use crate::conformance::harness::{ASSUME, campaign, is_go, seconds, tick};
use crate::domain::{CampaignId, Policy, Reason};
use crate::gate::Verdict;
use crate::queue::{Claim, DeliveryQuery, SettleResult, Settled, Tick};

/// A campaign to three, and its claim.
async fn three(harness: &Harness) -> (CampaignId, Claim) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 3).await;
    (id, harness.claim(1).await)
}

/// The worker of the claim falls silent until others take it back.
async fn fall_silent(harness: &Harness) {
    harness.tick_through(seconds(76)).await;
}

/// Every few seconds, for hours.
pub async fn a_tick_keeps_a_lease(harness: &Harness) {
    let (_, claim) = three(harness).await;
    for _ in 0..500 {
        harness.pass(seconds(20)).await;
        assert_eq!(harness.tick(1, &[claim.id]).await.lost, []);
    }
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// Whoever did not renew in time begins nothing, even before anybody takes the page back.
pub async fn a_lapsed_lease_begins_nothing(harness: &Harness) {
    let (_, claim) = three(harness).await;
    harness.pass(Duration::from_millis(59_999)).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
    harness.pass(Duration::from_millis(1)).await;
    assert_eq!(harness.begin_one(&claim, 2, 1).await, Verdict::Stale);
    let (call, batch) = (3, harness.version().await);
    let batch = crate::conformance::harness::batch(batch, &claim, call, 1..2);
    let started = harness.queue.start(&batch).await.unwrap();
    assert_eq!(started, [crate::gate::StartVerdict::Stale]);
}

/// Not earlier: 60 s of lease, 15 s as a suspect.
pub async fn a_silent_claim_is_reaped_15_s_after_it_is_suspect(harness: &Harness) {
    three(harness).await;
    harness.tick_through(Duration::from_millis(74_500)).await;
    assert!(harness.try_claim(2).await.is_none());
    harness.tick_through(Duration::from_millis(500)).await;
    assert!(harness.try_claim(3).await.is_some());
}

/// A suspect that ticks is none.
pub async fn an_owner_that_comes_back_in_time_keeps_its_claim(harness: &Harness) {
    let (_, claim) = three(harness).await;
    harness.tick_through(seconds(70)).await;
    assert_eq!(harness.tick(1, &[claim.id]).await.lost, []);
    harness.tick_through(seconds(59)).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// While the store was away nobody could renew: its first tick takes nothing from anybody.
pub async fn a_gap_in_ticks_restarts_the_suspicion(harness: &Harness) {
    let (_, claim) = three(harness).await;
    harness.tick_through(seconds(62)).await;
    harness.pass(seconds(1000)).await;
    harness.tick_through(seconds(14)).await;
    assert_eq!(harness.tick(1, &[claim.id]).await.lost, []);
    harness.tick_through(seconds(59)).await;
    assert_eq!(harness.tick(1, &[claim.id]).await.lost, []);
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// One jump of the store's clock, back or forth, doubts no healthy owner.
pub async fn a_clock_set_back_reaps_nobody(harness: &Harness) {
    let (id, claim) = three(harness).await;
    harness.begin(&claim, 1, 1).await;
    for hours in [-1, 1, 1, -3] {
        let jump = chrono::TimeDelta::hours(hours);
        harness.clock.set_wall(harness.now() + jump);
        harness.tick_through(seconds(3)).await;
        assert_eq!(harness.tick(1, &[claim.id]).await.lost, [], "{hours} h");
    }
    assert!(is_go(&harness.begin_one(&claim, 2, 1).await));
    harness.settle_all(&claim, Settled::Sent).await;
    assert_eq!(harness.counts(&id).await.sent, 2);
}

/// As if they had never been claimed.
pub async fn what_was_not_started_returns_at_no_cost(harness: &Harness) {
    let (id, _) = three(harness).await;
    fall_silent(harness).await;
    assert_eq!(harness.counts(&id).await.pending, 3);
    let claim = harness.claim(2).await;
    assert_eq!(claim.deliveries.len(), 3);
    assert!(
        claim
            .deliveries
            .iter()
            .all(|delivery| delivery.attempt == 1)
    );
    assert!(
        claim
            .deliveries
            .iter()
            .all(|delivery| delivery.repeats.is_none())
    );
}

/// Nobody knows, so nobody sends it again: that is the default.
pub async fn what_was_started_becomes_unknown(harness: &Harness) {
    let (id, claim) = three(harness).await;
    harness.begin(&claim, 1, 1).await;
    fall_silent(harness).await;
    assert_eq!(harness.states(&id).await, ["unknown", "pending", "pending"]);
    assert_eq!(harness.claim(2).await.deliveries.len(), 2);
}

/// The next tick says so.
pub async fn a_reaped_claim_is_reported_lost(harness: &Harness) {
    let (_, claim) = three(harness).await;
    fall_silent(harness).await;
    assert_eq!(harness.tick(1, &[claim.id]).await.lost, [claim.id]);
}

/// It neither begins nor settles.
pub async fn a_reaped_claim_changes_nothing(harness: &Harness) {
    let (id, claim) = three(harness).await;
    fall_silent(harness).await;
    let other = harness.claim(2).await;
    assert_eq!(harness.begin(&claim, 1, 3).await, vec![Verdict::Stale; 3]);
    for settled in [Settled::Sent, Settled::Skipped, Settled::NotStarted, ASSUME] {
        assert_eq!(
            harness.settle(&claim, 0, settled).await,
            SettleResult::Stale
        );
    }
    assert_eq!(harness.counts(&id).await.pending, 3);
    assert!(is_go(&harness.begin_one(&other, 1, 0).await));
}

/// A page that two workers fell silent over may hold a mail that kills them.
pub async fn a_page_reaped_twice_is_claimed_one_by_one(harness: &Harness) {
    three(harness).await;
    fall_silent(harness).await;
    assert_eq!(harness.claim(2).await.deliveries.len(), 3);
    fall_silent(harness).await;
    assert_eq!(harness.claim(3).await.deliveries.len(), 1);
}

/// The others of its page are sent.
pub async fn three_crashes_over_one_delivery_give_it_up(harness: &Harness) {
    let (id, _) = three(harness).await;
    let mut number = 1;
    while harness.states(&id).await[0] == "pending" {
        number += 1;
        assert!(number < 10, "nothing is given up");
        fall_silent(harness).await;
        harness.try_claim(number).await;
    }
    let page = harness
        .ledger
        .outcomes(&DeliveryQuery {
            campaign: id.clone(),
            page: 0,
        })
        .await
        .unwrap();
    assert_eq!(page[0].failure, Some(crate::domain::Failure::CrashLoop));
    harness.tick_through(seconds(200)).await;
    for _ in 0..2 {
        number += 1;
        if let Some(claim) = harness.try_claim(number).await {
            harness.begin(&claim, 1, 1).await;
            harness.settle_all(&claim, Settled::Sent).await;
        }
    }
    let counts = harness.counts(&id).await;
    assert_eq!((counts.failed, counts.sent), (1, 2));
}

/// Drained workers hand back, as often as they like.
pub async fn an_orderly_return_is_no_crash(harness: &Harness) {
    let (id, claim) = three(harness).await;
    harness.settle_all(&claim, Settled::NotStarted).await;
    for number in 2..10 {
        let claim = harness.claim(number).await;
        assert_eq!(claim.deliveries.len(), 3);
        harness.settle_all(&claim, Settled::NotStarted).await;
    }
    assert_eq!(harness.counts(&id).await.pending, 3);
}

/// Not after three ticks' time: it has said so.
pub async fn a_worker_that_goes_is_gone_at_once(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let reason = async || harness.ledger.status(&id).await.unwrap().reason_code;
    assert_eq!(reason().await.as_deref(), Some(Reason::NoWorker.code()));
    harness.tick(1, &[]).await;
    assert_eq!(reason().await, None);
    let going = Tick {
        present: false,
        ..tick(1, &[])
    };
    harness.queue.tick(&going).await.unwrap();
    assert_eq!(reason().await.as_deref(), Some(Reason::NoWorker.code()));
    harness.tick(1, &[]).await;
    harness.pass(Duration::from_millis(1_500)).await;
    assert_eq!(reason().await.as_deref(), Some(Reason::NoWorker.code()));
}
