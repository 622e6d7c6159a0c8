use super::settle::begun;
use crate::conformance::Harness;
use crate::conformance::harness::{campaign, is_go, seconds, settlement};
use crate::domain::{CampaignId, CampaignState, Failure, HaltCause, Lane, Policy};
use crate::queue::{Claim, HoldChange, Settled, Settlement};

const BLOCK: Settled = Settled::Failed(Failure::PolicyBlock);
const FORM: Settled = Settled::Failed(Failure::Message);
const ADDRESS: Settled = Settled::Failed(Failure::Recipient);

async fn is_halted(harness: &Harness, id: &CampaignId) -> bool {
    harness.ledger.status(id).await.unwrap().state == CampaignState::Halted
}

/// Settles one delivery after the other, and says after how many the campaign is halted.
async fn halts_after(
    harness: &Harness,
    id: &CampaignId,
    claim: &Claim,
    all: &[Settled],
) -> Option<usize> {
    for (place, settled) in all.iter().enumerate() {
        harness.settle(claim, place, *settled).await;
        if is_halted(harness, id).await {
            return Some(place + 1);
        }
    }
    None
}

/// Of either kind; with the words of the last.
pub async fn ten_blocks_in_a_row_halt(harness: &Harness) {
    let (id, claim) = begun(harness, 40).await;
    let nine = [BLOCK, FORM, BLOCK].repeat(3);
    assert_eq!(halts_after(harness, &id, &claim, &nine).await, None);
    let tenth = Settlement {
        detail: "550 5.7.1 blocked".to_owned(),
        ..settlement(&claim, 9, BLOCK)
    };
    harness.queue.settle(&[tenth], &[]).await.unwrap();
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.state, CampaignState::Halted);
    assert_eq!(
        status.reason_code.as_deref(),
        Some(HaltCause::PolicyBlocks.code())
    );
    assert_eq!(status.detail.as_deref(), Some("550 5.7.1 blocked"));
    // What has begun is settled as ever, and nothing more begins.
    harness.settle(&claim, 10, Settled::Sent).await;
    assert_eq!(harness.counts(&id).await.sent, 1);
    harness.settle_all(&claim, Settled::Returned).await;
    assert!(harness.try_claim(2).await.is_none());
}

/// More than ten of the last fifty.
pub async fn more_than_a_fifth_of_blocks_halts(harness: &Harness) {
    let (id, claim) = begun(harness, 120).await;
    let a_fifth = [&[Settled::Sent; 4][..], &[BLOCK]].concat().repeat(12);
    assert_eq!(halts_after(harness, &id, &claim, &a_fifth).await, None);
    let place = a_fifth.len();
    // The oldest that is remembered was no block, so one more is one too many.
    harness.settle(&claim, place, BLOCK).await;
    assert!(is_halted(harness, &id).await);
}

/// Of whichever page, one by one or many in one call.
pub async fn blocks_long_ago_are_forgotten(harness: &Harness) {
    let (id, first) = begun(harness, 256).await;
    assert_eq!(halts_after(harness, &id, &first, &[BLOCK; 9]).await, None);
    let second = harness.claim(2).await;
    harness.begin(&second, 1, 45).await;
    let sent: Vec<Settlement> = (0..45)
        .map(|place| settlement(&second, place, Settled::Sent))
        .collect();
    harness.queue.settle(&sent, &[]).await.unwrap();
    for place in 9..15 {
        harness.settle(&first, place, BLOCK).await;
    }
    assert!(!is_halted(harness, &id).await);
}

/// Addresses that do not exist, waits, and mails that were never begun.
pub async fn only_verdicts_on_the_mail_are_blocks(harness: &Harness) {
    let (id, claim) = begun(harness, 60).await;
    let others = [
        ADDRESS,
        Settled::Retry { after: None },
        Settled::Returned,
        Settled::NotStarted,
    ]
    .repeat(4);
    assert_eq!(halts_after(harness, &id, &claim, &others).await, None);
    let broken = [[BLOCK; 9].as_slice(), &[ADDRESS], &[FORM]].concat();
    for (place, settled) in (others.len()..).zip(broken) {
        harness.settle(&claim, place, settled).await;
    }
    assert!(!is_halted(harness, &id).await);
    let waits = [Settled::Retry { after: None }; 4];
    for (place, settled) in (others.len() + 11..).zip(waits.into_iter().chain([BLOCK])) {
        harness.settle(&claim, place, settled).await;
    }
    assert!(
        is_halted(harness, &id).await,
        "waits are no verdicts: eleven blocks of twelve"
    );
}

/// Each of them stands for itself.
pub async fn blocks_do_not_halt_single_mails(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    for number in 0..12 {
        harness
            .enqueue(&format!("m{number}"), Lane::Transactional)
            .await;
    }
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 12).await;
    harness.settle_all(&claim, BLOCK).await;
    harness.enqueue("next", Lane::Transactional).await;
    let claim = harness.claim(2).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// The host has decided that it goes on.
pub async fn a_resumed_campaign_is_judged_anew(harness: &Harness) {
    let (id, claim) = begun(harness, 40).await;
    assert_eq!(
        halts_after(harness, &id, &claim, &[BLOCK; 10]).await,
        Some(10)
    );
    // What was in flight then fails as well.
    for place in 10..15 {
        harness.settle(&claim, place, BLOCK).await;
    }
    harness.ledger.hold(&id, &HoldChange::Resume).await.unwrap();
    for place in 15..24 {
        harness.settle(&claim, place, BLOCK).await;
    }
    assert!(!is_halted(harness, &id).await);
    harness.settle(&claim, 24, BLOCK).await;
    assert!(is_halted(harness, &id).await);
}

/// The third time that a mail meets trouble while its relay takes others.
pub async fn trouble_that_others_do_not_share_costs_an_attempt(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(60), seconds(60)]))
        .await;
    let id = harness.submit(&campaign("c"), 60).await;
    let mut claim = harness.claim(1).await;
    for round in 0..6_u32 {
        harness.begin(&claim, 1, 2).await;
        harness.pass(seconds(1)).await;
        // In the first round nobody gets through.
        if round > 0 {
            harness.settle(&claim, 1, Settled::Sent).await;
        }
        harness.settle(&claim, 0, Settled::Troubled).await;
        let attempts = u32::from(round >= 3);
        let expected = match round {
            0 | 3 => "retry",
            _ => "pending",
        };
        assert_eq!(harness.states(&id).await[0], expected, "round {round}");
        harness.settle_all(&claim, Settled::NotStarted).await;
        harness.pass(seconds(310)).await;
        claim = harness.claim(u64::from(round) + 2).await;
        assert_eq!(claim.deliveries[0].attempt, 1 + attempts);
    }
}

/// It may be what holds the relay up: when that is tried again others are first, and what they meet counts.
pub async fn troubled_mails_let_others_go_first(harness: &Harness) {
    let wait = Policy::new().delay_after_trouble();
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(60), seconds(60)]))
        .await;
    let id = harness.submit(&campaign("c"), 60).await;
    let mut claim = harness.claim(1).await;
    // The first trouble was nobody's fault, for all that is known; the three after it are this mail's.
    for round in 0..4_u64 {
        let first = &claim.deliveries[0];
        assert_eq!((first.index, first.attempt), (0, 1), "round {round}");
        assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
        harness.pass(seconds(1)).await;
        harness.settle(&claim, 0, Settled::Troubled).await;
        harness.settle_all(&claim, Settled::NotStarted).await;
        assert_eq!(harness.states(&id).await[0], "retry", "round {round}");
        if round == 3 {
            break;
        }
        harness.pass(wait).await;
        let others = harness.claim(2 * round + 2).await;
        assert_ne!(others.deliveries[0].index, 0, "round {round}");
        assert!(is_go(&harness.begin_one(&others, 1, 0).await));
        harness.settle(&others, 0, Settled::Sent).await;
        harness.settle_all(&others, Settled::NotStarted).await;
        harness.pass(seconds(2)).await;
        claim = harness.claim(2 * round + 3).await;
    }
    harness.pass(seconds(60)).await;
    assert_eq!(harness.claim(99).await.deliveries[0].attempt, 2);
}
