use crate::conformance::Harness;
use crate::conformance::harness::{batch, campaign, claim_id, is_go, seconds, went};
use crate::domain::{Lane, Policy, Reason, Scope};
use crate::gate::{BeginBatch, Verdict};
use crate::queue::{Settled, Wait};

/// With an instant for `MAIL FROM`, and a later one for the dot.
pub async fn what_goes_is_started(harness: &Harness) {
    let version = harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    let reply = harness
        .gate
        .begin(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    assert_eq!(
        (reply.policy_version, reply.server_now),
        (version, harness.now())
    );
    for verdict in &reply.verdicts {
        let Verdict::Go { send_by, dot_by } = verdict else {
            panic!("{verdict:?}");
        };
        assert!(harness.now() < *send_by && send_by < dot_by, "{verdict:?}");
    }
    assert_eq!(harness.states(&id).await, ["started", "started", "pending"]);
    assert_eq!(harness.counts(&id).await.in_flight, 2);
}

/// Whoever asks, and however often.
pub async fn what_has_begun_does_not_begin_again(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 1).await;
    let claim = harness.claim(1).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
    for call in 2..5 {
        assert_eq!(harness.begin_one(&claim, call, 0).await, Verdict::Stale);
    }
    assert_eq!(harness.counts(&id).await.in_flight, 1);
}

/// A lost reply: the same verdicts, and each token is taken once.
pub async fn a_call_repeated_gets_the_same_verdicts(harness: &Harness) {
    let version = harness.limits(&["5/hour"]).await;
    let id = harness.submit(&campaign("c"), 20).await;
    let claim = harness.claim(1).await;
    let first = harness
        .gate
        .begin(&batch(version, &claim, 1, 0..3))
        .await
        .unwrap();
    let again = harness
        .gate
        .begin(&batch(version, &claim, 1, 0..3))
        .await
        .unwrap();
    assert_eq!(again.verdicts, first.verdicts);
    let first = harness
        .gate
        .begin(&batch(version, &claim, 2, 3..8))
        .await
        .unwrap();
    assert_eq!(went(&first.verdicts), 2);
    let again = harness
        .gate
        .begin(&batch(version, &claim, 2, 3..8))
        .await
        .unwrap();
    assert_eq!(again.verdicts, first.verdicts);
    assert_eq!(harness.counts(&id).await.in_flight, 5);
    harness.to("2026-11-24T10:00:00Z").await;
}

/// What has begun has begun: nobody may take it for refused.
pub async fn a_call_repeated_after_its_hours_have_closed_gets_the_same_verdicts(harness: &Harness) {
    let policy = Policy::new().hours("Mon-Fri 09:00-18:00", "UTC").unwrap();
    let version = harness.set_policy(&policy).await;
    harness.submit(&campaign("c"), 2).await;
    harness.to("2026-11-24T17:59:59Z").await;
    let claim = harness.claim(1).await;
    let first = harness
        .gate
        .begin(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    assert_eq!(went(&first.verdicts), 2);
    harness.to("2026-11-24T18:00:01Z").await;
    let again = harness
        .gate
        .begin(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    assert_eq!(again.verdicts, first.verdicts);
    harness.limits(&["100/hour"]).await;
    let again = harness
        .gate
        .begin(&batch(version, &claim, 1, 0..2))
        .await
        .unwrap();
    assert_eq!(again.verdicts, first.verdicts);
}

/// A late repetition of a call that others have followed decides nothing.
pub async fn an_earlier_call_is_stale(harness: &Harness) {
    let version = harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    harness.begin_one(&claim, 2, 0).await;
    let late = harness
        .gate
        .begin(&batch(version, &claim, 1, 1..2))
        .await
        .unwrap();
    assert_eq!(late.verdicts, [Verdict::Stale]);
    assert_eq!(harness.counts(&id).await.in_flight, 1);
}

/// One for each item, whatever streams they are of.
pub async fn verdicts_come_in_the_order_of_the_batch(harness: &Harness) {
    let version = harness.set_policy(&Policy::unlimited()).await;
    for id in ["a", "b"] {
        harness.submit(&campaign(id), 2).await;
    }
    let (one, two) = (harness.claim(1).await, harness.claim(2).await);
    harness.begin_one(&one, 1, 1).await;
    let mut mixed = batch(version, &one, 2, 0..2);
    mixed.items.extend(batch(version, &two, 1, 0..2).items);
    mixed.items.swap(0, 2);
    let reply = harness.gate.begin(&mixed).await.unwrap();
    let goes: Vec<bool> = reply.verdicts.iter().map(is_go).collect();
    assert_eq!(goes, [true, false, true, true]);
    assert_eq!(reply.verdicts[1], Verdict::Stale);
}

/// A campaign at its own limit is passed over.
pub async fn one_refusal_does_not_stop_other_streams(harness: &Harness) {
    let version = harness.limits(&["2/hour per campaign"]).await;
    for id in ["a", "b"] {
        harness.submit(&campaign(id), 9).await;
    }
    let (one, two) = (harness.claim(1).await, harness.claim(2).await);
    let mut mixed = batch(version, &one, 1, 0..5);
    mixed.items.extend(batch(version, &two, 1, 0..5).items);
    let reply = harness.gate.begin(&mixed).await.unwrap();
    let goes: Vec<bool> = reply.verdicts.iter().map(is_go).collect();
    assert_eq!(
        goes,
        [
            true, true, false, false, false, true, true, false, false, false
        ]
    );
}

/// And a batch of nothing is nothing.
pub async fn a_claim_of_nobody_is_stale(harness: &Harness) {
    let policy_version = harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let mut claim = harness.claim(1).await;
    claim.id = claim_id(9, 9);
    assert_eq!(harness.begin_one(&claim, 1, 0).await, Verdict::Stale);
    let empty = BeginBatch {
        policy_version,
        items: Vec::new(),
    };
    assert!(
        harness
            .gate
            .begin(&empty)
            .await
            .unwrap()
            .verdicts
            .is_empty()
    );
}

/// It stops claims: what is in hand the limits decide themselves.
pub async fn a_deferral_does_not_stop_a_begin(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 200).await;
    let claim = harness.claim(1).await;
    harness
        .defer(
            Scope::Namespace,
            Reason::RatePerHour,
            Wait::For(seconds(60)),
        )
        .await;
    assert!(harness.try_claim(2).await.is_none());
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// 20 workers, 30 campaigns, an hour of a hundred.
pub async fn exactly_the_cap_begins_in_an_hour_under_many_claimers(harness: &Harness) {
    harness.limits(&["100/hour"]).await;
    for i in 0..30 {
        harness.submit(&campaign(&format!("c{i}")), 20).await;
    }
    for lane in Lane::ALL {
        harness.enqueue("m", lane).await;
    }
    for _hour in 0..2 {
        let workers = (0..20).map(|worker| {
            let harness = harness.clone();
            async move { work(&harness, worker).await }
        });
        let begun: usize = futures_util::future::join_all(workers)
            .await
            .into_iter()
            .sum();
        assert_eq!(begun, 100);
        let next = harness.now() + crate::conformance::harness::minutes(60);
        harness.clock.advance_to(next).await;
    }
}

/// Claims and begins until nothing is left or let through.
async fn work(harness: &Harness, worker: u64) -> usize {
    let mut begun = 0;
    for number in 0..40 {
        // Numbered by the hour as well: a worker's claims have numbers of their own.
        let number = number + 1000 * u64::from(chrono::Timelike::hour(&harness.now()));
        let claim = harness
            .try_claim_by(
                claim_id(worker, number),
                crate::conformance::harness::room(),
            )
            .await;
        let Some(claim) = claim else { break };
        for place in 0..claim.deliveries.len() {
            let call = u32::try_from(place).unwrap() + 1;
            let verdict = harness.begin_one(&claim, call, place).await;
            begun += usize::from(is_go(&verdict));
            let settled = if is_go(&verdict) {
                Settled::Sent
            } else {
                Settled::NotStarted
            };
            harness.settle(&claim, place, settled).await;
        }
    }
    begun
}
