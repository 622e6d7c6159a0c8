use crate::conformance::Harness;
use crate::conformance::harness::{batch, campaign, claim_id, is_go, minutes, seconds, settlement};
use crate::domain::{CampaignId, CampaignState, Failure, Policy};
use crate::gate::{StartVerdict, Verdict};
use crate::queue::{Claim, Delivery, DeliveryQuery, SettleResult, Settled, Settlement};

/// A campaign to so many, all of whom have begun.
pub(super) async fn begun(harness: &Harness, n: usize) -> (CampaignId, Claim) {
    if harness.version().await == 0 {
        harness.set_policy(&Policy::unlimited()).await;
    }
    let id = harness.submit(&campaign("c"), n).await;
    let claim = harness.claim(1).await;
    let verdicts = harness.begin(&claim, 1, claim.deliveries.len()).await;
    assert!(verdicts.iter().all(is_go), "{verdicts:?}");
    (id, claim)
}

async fn page(harness: &Harness, id: &CampaignId) -> Vec<Delivery> {
    let query = DeliveryQuery {
        campaign: id.clone(),
        page: 0,
    };
    harness.ledger.outcomes(&query).await.unwrap()
}

/// Each delivery's state, failure and words; the campaign completes with the last.
pub async fn outcomes_reach_the_ledger(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 6).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 3).await;
    let failed = Settled::Failed(Failure::Recipient);
    let composed = Settled::Failed(Failure::Compose);
    let all = [
        Settled::Sent,
        failed,
        crate::conformance::harness::ASSUME,
        Settled::Skipped,
        Settled::Suppressed,
        composed,
    ];
    for (place, settled) in all.into_iter().enumerate() {
        assert_ne!(
            harness.ledger.status(&id).await.unwrap().state,
            CampaignState::Completed
        );
        let settlement = Settlement {
            detail: format!("word {place}"),
            ..settlement(&claim, place, settled)
        };
        let reply = harness.queue.settle(&[settlement], &[]).await.unwrap();
        harness.check(reply.results[0], SettleResult::Applied);
        assert_eq!(reply.server_now, harness.now());
    }
    assert_eq!(
        harness.states(&id).await,
        [
            "sent",
            "failed",
            "unknown",
            "skipped",
            "suppressed",
            "failed"
        ]
    );
    let page = page(harness, &id).await;
    assert_eq!(page[1].failure, Some(Failure::Recipient));
    assert_eq!(page[1].detail.as_deref(), Some("word 1"));
    assert_eq!(page[5].failure, Some(Failure::Compose));
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.state, CampaignState::Completed);
    assert_eq!(status.finished_at, Some(harness.now()));
    harness.counts(&id).await;
}

/// A lost reply: again, also with another word, and after the claim has ended.
pub async fn settling_twice_counts_once(harness: &Harness) {
    let (id, claim) = begun(harness, 2).await;
    let first = harness.settle(&claim, 0, Settled::Sent).await;
    harness.check(first, SettleResult::Applied);
    for settled in [
        Settled::Sent,
        Settled::Returned,
        Settled::Failed(Failure::Message),
    ] {
        let again = harness.settle(&claim, 0, settled).await;
        assert_eq!(again, SettleResult::Repeated);
    }
    harness.settle(&claim, 1, Settled::Sent).await;
    assert_eq!(
        harness.settle(&claim, 0, Settled::Sent).await,
        SettleResult::Repeated
    );
    assert_eq!(harness.states(&id).await, ["sent", "sent"]);
    assert_eq!(harness.counts(&id).await.sent, 2);
}

/// Of claims and places that never were.
pub async fn foreign_settlements_change_nothing(harness: &Harness) {
    let (id, claim) = begun(harness, 2).await;
    let foreign = Settlement {
        claim: claim_id(7, 7),
        ..settlement(&claim, 0, Settled::Sent)
    };
    let beyond = Settlement {
        index: 77,
        ..settlement(&claim, 0, Settled::Sent)
    };
    let reply = harness.queue.settle(&[foreign, beyond], &[]).await.unwrap();
    assert_eq!(reply.results[0], SettleResult::Stale);
    assert_ne!(reply.results[1], SettleResult::Applied);
    assert_eq!(harness.counts(&id).await.in_flight, 2);
}

/// No verdict, no mail: what says so returns to its place.
pub async fn what_was_not_started_cannot_be_sent(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 1).await;
    let claim = harness.claim(1).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    let counts = harness.counts(&id).await;
    assert_eq!((counts.sent, counts.pending), (0, 1));
}

/// The policy's delays, one after the other.
pub async fn refusals_cost_an_attempt_and_wait(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(60), seconds(600)]))
        .await;
    let (id, mut claim) = begun(harness, 1).await;
    for (number, wait) in (2..).zip([60, 600]) {
        harness
            .settle(&claim, 0, Settled::Retry { after: None })
            .await;
        let delivery = page(harness, &id).await.remove(0);
        assert_eq!(delivery.state, "retry");
        assert_eq!(delivery.due, Some(harness.now() + seconds(wait)));
        assert_eq!(u64::from(delivery.attempts), number - 1);
        harness.pass(seconds(wait)).await;
        claim = harness.claim(number).await;
        assert_eq!(u64::from(claim.deliveries[0].attempt), number);
        harness.begin(&claim, 1, 1).await;
    }
}

/// Longer, never shorter.
pub async fn the_relays_patience_lengthens_the_wait(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(600)]))
        .await;
    let (id, claim) = begun(harness, 2).await;
    for (place, after) in [(0, 5), (1, 3600)] {
        let after = Some(seconds(after));
        harness
            .settle(&claim, place, Settled::Retry { after })
            .await;
    }
    let page = page(harness, &id).await;
    assert_eq!(page[0].due, Some(harness.now() + minutes(10)));
    assert_eq!(page[1].due, Some(harness.now() + minutes(60)));
}

/// After the last delay of the policy.
pub async fn the_last_attempt_fails(harness: &Harness) {
    harness.set_policy(&Policy::unlimited().retry(&[])).await;
    let (id, claim) = begun(harness, 1).await;
    harness
        .settle(&claim, 0, Settled::Retry { after: None })
        .await;
    let delivery = page(harness, &id).await.remove(0);
    assert_eq!(delivery.failure, Some(Failure::Attempts));
    assert_eq!((delivery.state.as_str(), delivery.attempts), ("failed", 1));
}

/// Relay trouble is not the recipient's.
pub async fn returned_mails_cost_no_attempt(harness: &Harness) {
    harness.set_policy(&Policy::unlimited().retry(&[])).await;
    let (id, mut claim) = begun(harness, 1).await;
    for number in 2..6 {
        let settled = [Settled::Returned, Settled::NotStarted][number as usize % 2];
        harness.settle(&claim, 0, settled).await;
        assert_eq!(harness.states(&id).await, ["pending"]);
        claim = harness.claim(number).await;
        assert_eq!(claim.deliveries[0].attempt, 1);
        assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
    }
}

/// It begins no more through it, whatever became of it.
pub async fn a_settled_delivery_leaves_the_claim(harness: &Harness) {
    let (id, claim) = begun(harness, 3).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    harness.settle(&claim, 1, Settled::Returned).await;
    assert_eq!(harness.begin(&claim, 2, 2).await, vec![Verdict::Stale; 2]);
    assert_eq!(harness.states(&id).await, ["sent", "pending", "started"]);
}

/// What came back can be claimed as soon as the last of its page is settled.
pub async fn a_settled_page_is_free_at_once(harness: &Harness) {
    let (_, claim) = begun(harness, 3).await;
    harness.settle(&claim, 0, Settled::Returned).await;
    harness.settle(&claim, 1, Settled::Sent).await;
    assert!(harness.try_claim(2).await.is_none());
    harness.settle(&claim, 2, Settled::Returned).await;
    assert_eq!(harness.claim(3).await.deliveries.len(), 2);
}

/// What a gate of two steps is made of.
pub async fn start_marks_without_limits(harness: &Harness) {
    let version = harness.limits(&["1/hour"]).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    let started = harness
        .queue
        .start(&batch(version, &claim, 1, 0..3))
        .await
        .unwrap();
    for verdict in started {
        let (StartVerdict::Started { dot_by } | StartVerdict::Repeated { dot_by }) = verdict else {
            panic!("{verdict:?}");
        };
        assert!(dot_by > harness.now());
    }
    assert_eq!(harness.counts(&id).await.in_flight, 3);
    harness.limits(&["2/hour"]).await;
    let later = harness
        .queue
        .start(&batch(version, &claim, 2, 0..1))
        .await
        .unwrap();
    assert_eq!(later, [StartVerdict::Stale]);
}

/// The same call: the same answer, told apart from the first.
pub async fn start_repeats_its_verdict(harness: &Harness) {
    let version = harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 2).await;
    let claim = harness.claim(1).await;
    harness
        .queue
        .start(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    let again = harness
        .queue
        .start(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    assert!(
        again
            .iter()
            .all(|verdict| matches!(verdict, StartVerdict::Repeated { .. })),
        "{again:?}"
    );
    let other = harness
        .queue
        .start(&batch(version, &claim, 2, 0..2))
        .await
        .unwrap();
    assert_eq!(other, [StartVerdict::Stale; 2]);
    let earlier = harness
        .queue
        .start(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    assert_eq!(earlier, [StartVerdict::Stale; 2]);
}
