use super::{hold, pause, status};
use crate::ErrorKind;
use crate::conformance::Harness;
use crate::conformance::harness::{campaign, is_go, seconds};
use crate::domain::{CampaignState, Policy, Reason, Scope};
use crate::gate::Verdict;
use crate::queue::{HoldChange, Settled, Wait};

/// Not even what was claimed before.
pub async fn after_a_pause_nothing_begins(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 200).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    hold(harness, &id, pause()).await;
    assert_eq!(harness.begin_one(&claim, 2, 1).await, Verdict::Held);
    assert!(harness.try_claim(2).await.is_none());
    let shown = status(harness, &id).await;
    assert_eq!(shown.state, CampaignState::Paused);
    assert_eq!(shown.detail.as_deref(), Some("a wrong price"));
    harness.settle(&claim, 0, Settled::Sent).await;
    assert_eq!(harness.counts(&id).await.sent, 1);
}

/// Also with what was claimed before the pause.
pub async fn a_resumed_campaign_goes_on(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 200).await;
    let claim = harness.claim(1).await;
    hold(harness, &id, pause()).await;
    assert_eq!(harness.begin_one(&claim, 1, 0).await, Verdict::Held);
    hold(harness, &id, HoldChange::Resume).await;
    assert!(is_go(&harness.begin_one(&claim, 2, 0).await));
    harness.claim(2).await;
}

/// Whoever is pending then reads as cancelled, at once.
pub async fn after_a_cancel_nothing_begins(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 200).await;
    let claim = harness.claim(1).await;
    hold(harness, &id, HoldChange::Cancel).await;
    assert_eq!(harness.begin_one(&claim, 1, 0).await, Verdict::Held);
    assert!(harness.try_claim(2).await.is_none());
    let shown = status(harness, &id).await;
    assert_eq!(
        (shown.state, shown.counts.cancelled),
        (CampaignState::Cancelled, 200)
    );
    assert_eq!(shown.finished_at, Some(harness.now()));
    assert_eq!(harness.states(&id).await, vec!["cancelled"; 128]);
}

/// Sent is sent.
pub async fn what_had_begun_settles_normally_after_a_cancel(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 4).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 3).await;
    hold(harness, &id, HoldChange::Cancel).await;
    assert_eq!(harness.counts(&id).await.in_flight, 3);
    harness.settle(&claim, 0, Settled::Sent).await;
    harness
        .settle(&claim, 1, Settled::Retry { after: None })
        .await;
    harness.settle(&claim, 2, Settled::NotStarted).await;
    let counts = harness.counts(&id).await;
    assert_eq!((counts.sent, counts.cancelled), (1, 3));
    harness.settle(&claim, 3, Settled::NotStarted).await;
    harness.pass(seconds(100_000)).await;
    assert!(harness.try_claim(2).await.is_none());
}

/// For good.
pub async fn a_cancelled_campaign_stays_cancelled(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 4).await;
    hold(harness, &id, HoldChange::Cancel).await;
    hold(harness, &id, HoldChange::Cancel).await;
    for change in [HoldChange::Resume, pause()] {
        let held = harness.ledger.hold(&id, &change).await;
        assert_eq!(held.unwrap_err().kind(), ErrorKind::Conflict);
    }
    harness
        .queue
        .resume(&Scope::Campaign("c".to_owned()))
        .await
        .unwrap();
    assert!(harness.try_claim(1).await.is_none());
}

/// There is nothing to stop any more.
pub async fn a_campaign_at_its_end_cannot_be_held(harness: &Harness) {
    let id = harness.submit(&campaign("c"), 0).await;
    for change in [pause(), HoldChange::Cancel, HoldChange::Resume] {
        let held = harness.ledger.hold(&id, &change).await;
        assert_eq!(held.unwrap_err().kind(), ErrorKind::Conflict);
    }
}

/// What comes back while it is paused waits.
pub async fn a_pause_outlasts_a_reap(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    hold(harness, &id, pause()).await;
    harness.tick_through(seconds(80)).await;
    assert!(harness.try_claim(2).await.is_none());
    let counts = harness.counts(&id).await;
    assert_eq!((counts.unknown, counts.pending), (1, 2));
    hold(harness, &id, HoldChange::Resume).await;
    assert_eq!(harness.claim(3).await.deliveries.len(), 2);
}

/// Somebody has repaired the relay.
pub async fn resume_ends_waits_that_no_policy_caused(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let scopes = [
        Scope::Namespace,
        Scope::Relay(crate::conformance::harness::relay("default")),
        Scope::sender("news@shop.example"),
        Scope::Campaign("c".to_owned()),
    ];
    for scope in &scopes {
        harness
            .defer(
                scope.clone(),
                Reason::TransientError,
                Wait::For(seconds(600)),
            )
            .await;
    }
    for (number, scope) in (1..).zip(&scopes) {
        assert!(harness.try_claim(number).await.is_none());
        harness.queue.resume(scope).await.unwrap();
    }
    harness.claim(9).await;
}

/// A limit is a limit: only its time or another policy ends its wait.
pub async fn resume_leaves_the_policys_waits(harness: &Harness) {
    harness.limits(&["1/hour"]).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 3).await;
    harness.settle_all(&claim, Settled::Returned).await;
    harness.queue.resume(&Scope::Namespace).await.unwrap();
    assert!(harness.try_claim(2).await.is_none());
    assert_eq!(
        status(harness, &id).await.reason_code.as_deref(),
        Some("rate_per_hour")
    );
    harness.to("2026-11-24T10:00:00Z").await;
    harness.claim(3).await;
}
