//! The points of [`Intake`](crate::queue::Intake).

use super::Harness;
use super::harness::{campaign, message, records, seconds};
use crate::ErrorKind;
use crate::domain::{CampaignId, CampaignState, Lane, Policy};
use crate::queue::{Created, HoldChange, Load, Loading, StreamId, TicketState};

/// A test for every point of [`Intake`](crate::queue::Intake).
#[macro_export]
macro_rules! intake_conformance {
    ($make:path) => {
        $crate::conformance_points! { intake, $make:
            a_campaign_is_taken_in_page_by_page
            a_draft_is_listed_and_sends_nothing
            loading_goes_on_where_it_stopped
            a_page_repeated_counts_once
            a_page_that_does_not_follow_is_a_conflict
            another_loader_is_kept_out_while_the_first_is_alive
            a_loader_that_was_taken_over_is_kept_out
            the_same_campaign_again_is_sealed
            other_content_is_a_conflict
            sealing_is_repeatable
            sealing_other_pages_is_a_conflict
            a_sealed_campaign_takes_no_more
            pages_of_no_campaign_are_not_found
            empty_and_overlong_pages_are_refused
            a_draft_ages_out
            a_campaign_of_nobody_is_complete
            a_tombstone_answers_for_a_purged_campaign
            the_digest_is_that_of_the_pages
            a_mail_is_enqueued_once_by_its_key
            streams_keep_the_same_key_apart
        }
    };
}

async fn create(harness: &Harness, id: &str, loader: u64) -> Result<Created, crate::Error> {
    let spec = campaign(id).check().unwrap();
    harness.intake.create(&spec, loader).await
}

async fn loading(harness: &Harness, id: &str, loader: u64) -> Loading {
    match create(harness, id, loader).await.unwrap() {
        Created::Loading(loading) => loading,
        other => panic!("{other:?}"),
    }
}

async fn append(harness: &Harness, load: &Load, n: usize) -> Load {
    harness.intake.append(load, &records(n)).await.unwrap()
}

/// Three pages, in their order, each recipient once.
pub async fn a_campaign_is_taken_in_page_by_page(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 300).await;
    assert_eq!(harness.counts(&id).await.total, 300);
    let mut seen = Vec::new();
    for number in 1..=3 {
        let claim = harness.claim(number).await;
        seen.extend(claim.deliveries.into_iter().map(|delivery| delivery.record));
    }
    assert_eq!(seen, records(300));
    assert!(harness.try_claim(4).await.is_none());
}

/// Half loaded: shown, counted, and not sent.
pub async fn a_draft_is_listed_and_sends_nothing(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let loading = loading(harness, "c", 1).await;
    append(harness, &loading.load, 5).await;
    assert!(harness.try_claim(1).await.is_none());
    let listed = harness.ledger.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].state, CampaignState::Draft);
    assert_eq!(listed[0].counts.total, 5);
    assert_eq!(listed[0].submitted_at, None);
}

/// The caller learns the last stored key and the digest to go on from.
pub async fn loading_goes_on_where_it_stopped(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    assert_eq!(first.resume_after, None);
    let stored = append(harness, &first.load, 5).await;
    let again = loading(harness, "c", 1).await;
    assert_eq!(again.load, stored);
    assert_eq!(again.resume_after.as_deref(), Some("r4@example.com"));
    append(harness, &again.load, 3).await;
    let id: CampaignId = "c".parse().unwrap();
    assert_eq!(harness.counts(&id).await.total, 8);
}

/// A lost reply: the last page once more, the same answer.
pub async fn a_page_repeated_counts_once(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    let one = append(harness, &first.load, 5).await;
    assert_eq!(append(harness, &first.load, 5).await, one);
    let two = append(harness, &one, 5).await;
    assert_eq!(append(harness, &one, 5).await, two);
    let id: CampaignId = "c".parse().unwrap();
    assert_eq!(harness.counts(&id).await.total, 10);
}

/// Another source, or a page left out.
pub async fn a_page_that_does_not_follow_is_a_conflict(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    append(harness, &first.load, 5).await;
    let other = harness.intake.append(&first.load, &records(4)).await;
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Conflict);
    let ahead = Load {
        pages: 7,
        ..first.load.clone()
    };
    let ahead = harness.intake.append(&ahead, &records(5)).await;
    assert_eq!(ahead.unwrap_err().kind(), ErrorKind::Conflict);
    let id: CampaignId = "c".parse().unwrap();
    assert_eq!(harness.counts(&id).await.total, 5);
}

/// For 60 s after its last sign of life.
pub async fn another_loader_is_kept_out_while_the_first_is_alive(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    harness.pass(seconds(50)).await;
    append(harness, &first.load, 5).await;
    harness.pass(seconds(59)).await;
    let second = create(harness, "c", 2).await;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Conflict);
    harness.pass(seconds(1)).await;
    assert!(matches!(
        create(harness, "c", 2).await,
        Ok(Created::Loading(_))
    ));
}

/// The first one wakes up, and learns that it is not its campaign any more.
pub async fn a_loader_that_was_taken_over_is_kept_out(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    harness.pass(seconds(60)).await;
    let second = loading(harness, "c", 2).await;
    let late = harness.intake.append(&first.load, &records(1)).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    append(harness, &second.load, 1).await;
}

/// A submit repeated sends nothing twice.
pub async fn the_same_campaign_again_is_sealed(harness: &Harness) {
    harness.submit(&campaign("c"), 5).await;
    assert!(matches!(
        create(harness, "c", 2).await.unwrap(),
        Created::Sealed { total: 5, .. }
    ));
}

/// One id, two campaigns: refused, whether the first is loaded yet or not.
pub async fn other_content_is_a_conflict(harness: &Harness) {
    loading(harness, "draft", 1).await;
    harness.submit(&campaign("sealed"), 5).await;
    for id in ["draft", "sealed"] {
        let other = campaign(id).weight(2).check().unwrap();
        let created = harness.intake.create(&other, 1).await;
        assert_eq!(created.unwrap_err().kind(), ErrorKind::Conflict, "{id}");
    }
}

/// A lost reply to `seal`.
pub async fn sealing_is_repeatable(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    let load = append(harness, &first.load, 5).await;
    harness.intake.seal(&load).await.unwrap();
    let sealed = harness.ledger.list().await.unwrap();
    harness.pass(seconds(5)).await;
    harness.intake.seal(&load).await.unwrap();
    let again = harness.ledger.list().await.unwrap();
    assert_eq!(again[0].submitted_at, sealed[0].submitted_at);
}

/// Somebody has stored more, or other, pages than the caller knows.
pub async fn sealing_other_pages_is_a_conflict(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    let load = append(harness, &first.load, 5).await;
    append(harness, &load, 5).await;
    let sealed = harness.intake.seal(&load).await;
    assert_eq!(sealed.unwrap_err().kind(), ErrorKind::Conflict);
}

/// After `seal` the recipients stand.
pub async fn a_sealed_campaign_takes_no_more(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    let load = append(harness, &first.load, 5).await;
    harness.intake.seal(&load).await.unwrap();
    let more = harness.intake.append(&load, &records(3)).await;
    assert_eq!(more.unwrap_err().kind(), ErrorKind::Conflict);
    let id: CampaignId = "c".parse().unwrap();
    assert_eq!(harness.counts(&id).await.total, 5);
}

/// A campaign that never was, or has aged out.
pub async fn pages_of_no_campaign_are_not_found(harness: &Harness) {
    let load = Load {
        campaign: "nobody".parse().unwrap(),
        ..loading(harness, "c", 1).await.load
    };
    let appended = harness.intake.append(&load, &records(1)).await;
    assert_eq!(appended.unwrap_err().kind(), ErrorKind::NotFound);
    let sealed = harness.intake.seal(&load).await;
    assert_eq!(sealed.unwrap_err().kind(), ErrorKind::NotFound);
}

/// A page has 1 to 128 recipients.
pub async fn empty_and_overlong_pages_are_refused(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    for n in [0, 129] {
        assert!(
            harness
                .intake
                .append(&first.load, &records(n))
                .await
                .is_err()
        );
    }
    append(harness, &first.load, 128).await;
}

/// A day after its last page nobody remembers a draft; a sealed campaign stays.
pub async fn a_draft_ages_out(harness: &Harness) {
    let draft = loading(harness, "draft", 1).await;
    harness.submit(&campaign("sealed"), 5).await;
    harness.pass(seconds(80_000)).await;
    append(harness, &draft.load, 5).await;
    harness.pass(seconds(86_300)).await;
    harness.tick(1, &[]).await;
    assert_eq!(harness.ledger.list().await.unwrap().len(), 2);
    harness.pass(seconds(200)).await;
    harness.tick(1, &[]).await;
    let left = harness.ledger.list().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].campaign.as_str(), "sealed");
}

/// No recipients: done at once.
pub async fn a_campaign_of_nobody_is_complete(harness: &Harness) {
    let id = harness.submit(&campaign("c"), 0).await;
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.state, CampaignState::Completed);
    assert_eq!(status.finished_at, Some(harness.now()));
}

/// A purged campaign is never loaded again, whatever its content.
pub async fn a_tombstone_answers_for_a_purged_campaign(harness: &Harness) {
    let id = harness.submit(&campaign("c"), 5).await;
    harness.ledger.hold(&id, &HoldChange::Cancel).await.unwrap();
    let tombstone = harness.ledger.purge(&id).await.unwrap();
    assert_eq!(
        create(harness, "c", 1).await.unwrap(),
        Created::Purged(tombstone)
    );
}

/// The same recipients in the same pages: the same digest, in the reply, when sealed, and on the tombstone.
pub async fn the_digest_is_that_of_the_pages(harness: &Harness) {
    let first = loading(harness, "c", 1).await;
    let load = append(harness, &first.load, 5).await;
    harness.intake.seal(&load).await.unwrap();
    let Created::Sealed { digest, .. } = create(harness, "c", 1).await.unwrap() else {
        panic!("it is sealed");
    };
    assert_eq!(digest, load.digest);
    let id: CampaignId = "c".parse().unwrap();
    harness.ledger.hold(&id, &HoldChange::Cancel).await.unwrap();
    assert_eq!(harness.ledger.purge(&id).await.unwrap().digest, digest);
}

/// Enqueued again, also after it was sent: sent once.
pub async fn a_mail_is_enqueued_once_by_its_key(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.enqueue("a", Lane::Transactional).await;
    harness.enqueue("a", Lane::Transactional).await;
    let claim = harness.claim(1).await;
    assert_eq!(claim.deliveries.len(), 1);
    harness.begin(&claim, 1, 1).await;
    harness.settle(&claim, 0, crate::queue::Settled::Sent).await;
    let mail = harness.enqueue("a", Lane::Transactional).await;
    assert!(harness.try_claim(2).await.is_none());
    let ticket = harness
        .intake
        .ticket(&StreamId::standing(&mail), "a")
        .await
        .unwrap();
    assert!(matches!(ticket, TicketState::Done(delivery) if delivery.state == "sent"));
}

/// A key is one within its lane, relay and sender.
pub async fn streams_keep_the_same_key_apart(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.enqueue("a", Lane::Transactional).await;
    harness.enqueue("a", Lane::Test).await;
    let other = message("a").relay("other").check().unwrap();
    harness.intake.enqueue(&other).await.unwrap();
    assert_eq!(harness.claim(1).await.binding.lane, Lane::Test);
    assert_eq!(harness.claim(2).await.binding.lane, Lane::Transactional);
    // The other relay is none that this worker serves.
    assert!(harness.try_claim(3).await.is_none());
}
