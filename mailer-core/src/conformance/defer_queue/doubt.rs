use crate::conformance::Harness;
use crate::conformance::harness::{campaign, claim_id, is_go, minutes, seconds, settlement};
use crate::domain::{CampaignId, CampaignState, Failure, OnUnknown, Policy};
use crate::gate::Verdict;
use crate::queue::{Claim, DeliveryQuery, SettleResult, Settled, Settlement};

/// A campaign to three; the first has begun, and its worker has fallen silent.
async fn lost(harness: &Harness, rule: OnUnknown) -> (CampaignId, Claim) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c").on_unknown(rule), 3).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    harness.tick_through(seconds(76)).await;
    (id, claim)
}

/// At most once: it stays unknown, counts as decided, and is never sent again.
pub async fn unknown_mails_are_assumed_sent(harness: &Harness) {
    stays_unknown(harness, OnUnknown::AssumeSent).await;
}

/// It stays unknown until the host decides.
pub async fn unknown_mails_are_held(harness: &Harness) {
    stays_unknown(harness, OnUnknown::Hold).await;
}

async fn stays_unknown(harness: &Harness, rule: OnUnknown) {
    let (id, _) = lost(harness, rule).await;
    let rest = harness.claim(2).await;
    assert_eq!(rest.deliveries.len(), 2);
    harness.begin(&rest, 1, 2).await;
    harness.settle(&rest, 0, Settled::Sent).await;
    harness.settle(&rest, 1, Settled::Unknown { rule }).await;
    harness.tick_through(seconds(2000)).await;
    assert!(harness.try_claim(3).await.is_none());
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(
        (status.state, status.counts.unknown),
        (CampaignState::Completed, 2)
    );
    let query = DeliveryQuery {
        campaign: id,
        page: 0,
    };
    assert!(harness.ledger.outcomes(&query).await.unwrap()[0].in_doubt);
}

/// At least once: when the first try can no longer succeed, with the date of the first try, at no cost of an attempt.
pub async fn unknown_mails_are_sent_again_after_the_longest_deadline(harness: &Harness) {
    let begun_at = harness.now();
    let (id, _) = lost(harness, OnUnknown::Resend).await;
    assert_eq!(harness.states(&id).await, ["retry", "pending", "pending"]);
    let rest = harness.claim(2).await;
    assert_eq!(rest.deliveries.len(), 2);
    harness.begin(&rest, 1, 2).await;
    harness.settle_all(&rest, Settled::Sent).await;
    let due = harness.next_due(3).await.unwrap();
    assert!(due >= begun_at + minutes(15), "{due}");
    harness.clock.advance_to(due).await;
    let again = harness.claim(4).await;
    assert_eq!(again.deliveries[0].repeats, Some(begun_at));
    assert_eq!(again.deliveries[0].attempt, 1);
    assert!(is_go(&harness.begin_one(&again, 1, 0).await));
    harness.settle(&again, 0, Settled::Sent).await;
    assert_eq!(harness.counts(&id).await.sent, 3);
}

/// The worker was not dead: it knows what became of the mail.
pub async fn late_evidence_resolves_a_doubt(harness: &Harness) {
    for (settled, state) in [
        (Settled::Sent, "sent"),
        (Settled::Failed(Failure::Recipient), "failed"),
    ] {
        harness.set_policy(&Policy::unlimited()).await;
        let id = harness.submit(&campaign(state), 3).await;
        let claim = harness
            .try_claim_by(
                claim_id(8, state.len() as u64),
                super::super::harness::room(),
            )
            .await
            .unwrap();
        harness.begin(&claim, 1, 1).await;
        harness.tick_through(seconds(76)).await;
        let result = harness.settle(&claim, 0, settled).await;
        harness.check(result, SettleResult::Resolved);
        assert_eq!(harness.states(&id).await, [state, "pending", "pending"]);
        harness.counts(&id).await;
        assert_eq!(
            harness.settle(&claim, 1, settled).await,
            SettleResult::Stale
        );
        harness
            .ledger
            .hold(&id, &crate::queue::HoldChange::Cancel)
            .await
            .unwrap();
    }
}

/// Before the repetition is in anybody's hand, whoever has the rest of the page.
pub async fn late_evidence_ends_a_retry(harness: &Harness) {
    let (id, claim) = lost(harness, OnUnknown::Resend).await;
    let rest = harness.claim(2).await;
    let result = harness.settle(&claim, 0, Settled::Sent).await;
    harness.check(result, SettleResult::Resolved);
    assert_eq!(harness.states(&id).await, ["sent", "pending", "pending"]);
    harness.settle_all(&rest, Settled::Skipped).await;
    harness.tick_through(seconds(2000)).await;
    assert!(harness.try_claim(3).await.is_none());
    assert_eq!(harness.counts(&id).await.sent, 1);
}

/// What the repetition's owner has not begun is begun no more; what it has begun is its own.
pub async fn late_evidence_takes_a_repetition_out_of_hand(harness: &Harness) {
    let (id, claim) = lost(harness, OnUnknown::Resend).await;
    let rest = harness.claim(2).await;
    harness.settle_all(&rest, Settled::Skipped).await;
    harness
        .clock
        .advance_to(harness.next_due(3).await.unwrap())
        .await;
    let again = harness.claim(4).await;
    let result = harness.settle(&claim, 0, Settled::Sent).await;
    harness.check(result, SettleResult::Resolved);
    assert_eq!(harness.begin_one(&again, 1, 0).await, Verdict::Stale);
    assert_ne!(
        harness.settle(&again, 0, Settled::NotStarted).await,
        SettleResult::Applied
    );
    assert_eq!(harness.states(&id).await, ["sent", "skipped", "skipped"]);
    assert_eq!(
        harness.ledger.status(&id).await.unwrap().state,
        CampaignState::Completed
    );
}

/// Only the attempt in doubt can say what became of it.
pub async fn late_evidence_of_another_claim_changes_nothing(harness: &Harness) {
    let (id, claim) = lost(harness, OnUnknown::AssumeSent).await;
    for (worker, number) in [(1, 2), (2, 1)] {
        let foreign = Settlement {
            claim: claim_id(worker, number),
            ..settlement(&claim, 0, Settled::Sent)
        };
        let reply = harness.queue.settle(&[foreign], &[]).await.unwrap();
        assert_eq!(reply.results, [SettleResult::Stale]);
    }
    assert_eq!(harness.states(&id).await, ["unknown", "pending", "pending"]);
}

/// That it was tried is no evidence.
pub async fn late_words_without_evidence_change_nothing(harness: &Harness) {
    let (id, claim) = lost(harness, OnUnknown::AssumeSent).await;
    for settled in [
        Settled::Retry { after: None },
        Settled::Returned,
        Settled::Skipped,
        Settled::Suppressed,
        Settled::Unknown {
            rule: OnUnknown::Resend,
        },
    ] {
        let result = harness.settle(&claim, 0, settled).await;
        assert_eq!(result, SettleResult::Stale, "{settled:?}");
    }
    assert_eq!(harness.states(&id).await, ["unknown", "pending", "pending"]);
}
