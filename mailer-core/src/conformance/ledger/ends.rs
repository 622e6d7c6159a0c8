use super::{hold, pause, status};
use crate::ErrorKind;
use crate::conformance::Harness;
use crate::conformance::harness::{at, campaign, message, seconds};
use crate::domain::{CampaignState, Lane, Policy, Reason, Scope};
use crate::queue::{HoldChange, Settled, StreamId, TicketState, Wait};

/// Waiting, in flight, done; forgotten a day after.
pub async fn a_ticket_follows_its_mail(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(60)]))
        .await;
    harness.tick(1, &[]).await;
    let mail = harness.enqueue("a", Lane::Test).await;
    let stream = StreamId::standing(&mail);
    let ticket = async || harness.intake.ticket(&stream, "a").await.unwrap();
    assert_eq!(ticket().await, TicketState::Waiting(None));
    harness
        .defer(
            Scope::Namespace,
            Reason::LimiterUnavailable,
            Wait::For(seconds(10)),
        )
        .await;
    let TicketState::Waiting(Some(deferral)) = ticket().await else {
        panic!("it is deferred");
    };
    assert_eq!(deferral.reason, Reason::LimiterUnavailable);
    harness.pass(seconds(10)).await;
    harness.tick(1, &[]).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    assert_eq!(ticket().await, TicketState::InFlight);
    harness
        .settle(&claim, 0, Settled::Retry { after: None })
        .await;
    let TicketState::Waiting(Some(deferral)) = ticket().await else {
        panic!("it is tried again");
    };
    assert_eq!(deferral.reason, Reason::RecipientRetry);
    assert_eq!(deferral.until, Some(harness.now() + seconds(60)));
    harness.pass(seconds(60)).await;
    let claim = harness.claim(2).await;
    harness.begin(&claim, 1, 1).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    assert!(matches!(ticket().await, TicketState::Done(delivery) if delivery.state == "sent"));
    harness.pass(seconds(86_000)).await;
    harness.tick(1, &[]).await;
    ticket().await;
    harness.pass(seconds(500)).await;
    harness.tick(1, &[]).await;
    let gone = harness.intake.ticket(&stream, "a").await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
}

/// Also if it was the last of its page, and its key is free again.
pub async fn an_expired_mail_is_forgotten_a_day_later(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let letter = message("a").expires_at(harness.now() + seconds(60));
    let mail = letter.check().unwrap();
    let stream = StreamId::standing(&mail);
    harness.intake.enqueue(&mail).await.unwrap();
    harness.pass(seconds(60)).await;
    assert!(harness.try_claim(1).await.is_none());
    let TicketState::Done(delivery) = harness.intake.ticket(&stream, "a").await.unwrap() else {
        panic!("it is too late for it");
    };
    assert_eq!(delivery.state, "expired");
    harness.pass(seconds(86_500)).await;
    harness.tick(1, &[]).await;
    let gone = harness.intake.ticket(&stream, "a").await;
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
    let again = message("a").check().unwrap();
    harness.intake.enqueue(&again).await.unwrap();
    assert_eq!(harness.claim(2).await.deliveries.len(), 1);
}

/// Whether it is loading, sending or paused.
pub async fn only_what_is_final_is_purged(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 1).await;
    assert_eq!(
        harness.ledger.purge(&id).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    hold(harness, &id, pause()).await;
    assert_eq!(
        harness.ledger.purge(&id).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    hold(harness, &id, HoldChange::Cancel).await;
    harness.ledger.purge(&id).await.unwrap();
}

/// And nothing else; asked again, the same.
pub async fn a_purged_campaign_leaves_its_counts(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness
        .submit(&campaign("c").expires_at(at("2026-11-24T10:00:00Z")), 3)
        .await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    harness.settle(&claim, 1, Settled::Skipped).await;
    harness.settle(&claim, 2, Settled::NotStarted).await;
    harness.to("2026-11-24T10:00:00Z").await;
    let shown = status(harness, &id).await;
    assert_eq!(
        (shown.state, shown.counts.expired),
        (CampaignState::Completed, 1)
    );
    assert_eq!(shown.finished_at, Some(harness.now()));
    harness.pass(seconds(5)).await;
    let tombstone = harness.ledger.purge(&id).await.unwrap();
    assert_eq!(tombstone.counts, shown.counts);
    assert_eq!(harness.ledger.purge(&id).await.unwrap(), tombstone);
    assert!(harness.ledger.list().await.unwrap().is_empty());
    assert!(harness.try_claim(2).await.is_none());
}

/// What has begun has not ended yet.
pub async fn a_cancelled_campaign_with_mails_in_flight_is_not_purged(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 2).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    hold(harness, &id, HoldChange::Cancel).await;
    assert_eq!(
        harness.ledger.purge(&id).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    harness.settle(&claim, 0, Settled::Sent).await;
    let tombstone = harness.ledger.purge(&id).await.unwrap();
    assert_eq!((tombstone.counts.sent, tombstone.counts.cancelled), (1, 1));
}
