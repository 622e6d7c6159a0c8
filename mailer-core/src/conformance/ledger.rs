//! The points of [`Ledger`](crate::queue::Ledger).

use super::Harness;
use super::harness::{at, campaign, is_go, seconds};
use crate::ErrorKind;
use crate::domain::{CampaignId, CampaignState, Lane, Policy, Reason, Scope, Status};
use crate::gate::Verdict;
use crate::queue::{DeliveryQuery, HoldChange, Resolution, Settled, StreamId, TicketState, Wait};

/// A test for every point of [`Ledger`](crate::queue::Ledger).
#[macro_export]
macro_rules! ledger_conformance {
    ($make:path) => {
        $crate::conformance_points! { ledger, $make:
            a_campaign_is_shown_through_its_life
            closed_hours_are_shown_before_any_worker_meets_them
            a_start_that_has_not_come_is_shown
            only_retries_left_is_shown
            workers_are_shown_while_they_live
            what_nobody_knows_the_host_resolves
            what_is_not_there_is_not_found
            campaigns_are_listed_in_the_order_of_submission
            outcomes_come_page_by_page
            after_a_pause_nothing_begins
            a_resumed_campaign_goes_on
            after_a_cancel_nothing_begins
            what_had_begun_settles_normally_after_a_cancel
            a_cancelled_campaign_stays_cancelled
            a_campaign_at_its_end_cannot_be_held
            a_pause_outlasts_a_reap
            resume_ends_waits_that_no_policy_caused
            resume_leaves_the_policys_waits
            a_ticket_follows_its_mail
            only_what_is_final_is_purged
            a_purged_campaign_leaves_its_counts
            a_cancelled_campaign_with_mails_in_flight_is_not_purged
        }
    };
}

fn pause() -> HoldChange {
    HoldChange::Pause {
        by: "Ann".to_owned(),
        why: "a wrong price".to_owned(),
    }
}

async fn status(harness: &Harness, id: &CampaignId) -> Status {
    let status = harness.ledger.status(id).await.unwrap();
    assert_eq!(status.counts.sum(), status.counts.total, "{status}");
    status
}

async fn hold(harness: &Harness, id: &CampaignId, change: HoldChange) {
    harness.ledger.hold(id, &change).await.unwrap();
}

/// Queued, sending, completed, with the instants.
pub async fn a_campaign_is_shown_through_its_life(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.tick(1, &[]).await;
    let id = harness.submit(&campaign("c"), 2).await;
    let queued = status(harness, &id).await;
    assert_eq!(queued.state, CampaignState::Queued);
    assert_eq!(
        (queued.submitted_at, queued.started_at),
        (Some(harness.now()), None)
    );
    harness.pass(seconds(1)).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 2).await;
    let sending = status(harness, &id).await;
    assert_eq!(
        (sending.state, sending.counts.in_flight),
        (CampaignState::Sending, 2)
    );
    assert_eq!(sending.started_at, Some(harness.now()));
    harness.pass(seconds(1)).await;
    harness.settle_all(&claim, Settled::Sent).await;
    harness.pass(seconds(1)).await;
    let done = status(harness, &id).await;
    assert_eq!(
        (done.state, done.counts.sent),
        (CampaignState::Completed, 2)
    );
    assert_eq!(done.finished_at, Some(harness.now() - seconds(1)));
}

/// Though nobody has tried.
pub async fn closed_hours_are_shown_before_any_worker_meets_them(harness: &Harness) {
    let policy = Policy::new().hours("Mon-Fri 10:00-18:00", "UTC").unwrap();
    harness.set_policy(&policy).await;
    let id = harness.submit(&campaign("c"), 1).await;
    let shown = status(harness, &id).await;
    assert_eq!(shown.state, CampaignState::Deferred);
    assert_eq!(shown.reason_code.as_deref(), Some("outside_hours"));
    assert_eq!(shown.next_run_at, Some(at("2026-11-24T10:00:00Z")));
    harness.to("2026-11-24T10:00:00Z").await;
    harness.tick(1, &[]).await;
    assert_eq!(status(harness, &id).await.state, CampaignState::Queued);
}

/// And until when.
pub async fn a_start_that_has_not_come_is_shown(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let start = at("2026-11-25T09:00:00Z");
    let id = harness.submit(&campaign("c").starts_at(start), 1).await;
    let shown = status(harness, &id).await;
    assert_eq!(shown.reason_code.as_deref(), Some("scheduled"));
    assert_eq!(shown.next_run_at, Some(start));
}

/// The campaign is as good as over: it waits for the stragglers.
pub async fn only_retries_left_is_shown(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(60)]))
        .await;
    harness.tick(1, &[]).await;
    let id = harness.submit(&campaign("c"), 2).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 2).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    harness
        .settle(&claim, 1, Settled::Retry { after: None })
        .await;
    let shown = status(harness, &id).await;
    assert_eq!(shown.state, CampaignState::Deferred);
    assert_eq!(
        shown.reason_code.as_deref(),
        Some(Reason::RecipientRetry.code())
    );
    assert_eq!(shown.next_run_at, Some(harness.now() + seconds(60)));
}

/// Those who have ticked lately, with their relays.
pub async fn workers_are_shown_while_they_live(harness: &Harness) {
    assert!(harness.ledger.workers().await.unwrap().is_empty());
    harness.tick(1, &[]).await;
    harness.tick(2, &[]).await;
    let alive = harness.ledger.workers().await.unwrap();
    let who: Vec<u64> = alive.iter().map(|presence| presence.worker.0).collect();
    assert_eq!(who, [1, 2]);
    assert_eq!(alive[0].relays, [super::harness::relay("default")]);
    harness.pass(seconds(1)).await;
    harness.tick(2, &[]).await;
    harness.pass(seconds(1)).await;
    let alive = harness.ledger.workers().await.unwrap();
    assert_eq!(alive.len(), 1);
    assert!(alive[0].until > harness.now());
}

/// It was sent; or it is to be sent again, with the date of the first try.
pub async fn what_nobody_knows_the_host_resolves(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    let begun_at = harness.now();
    harness.begin(&claim, 1, 3).await;
    for place in 0..2 {
        harness.settle(&claim, place, super::harness::ASSUME).await;
    }
    harness.settle(&claim, 2, Settled::Sent).await;
    assert_eq!(status(harness, &id).await.state, CampaignState::Completed);
    let resolve = async |key: &str, resolution| {
        let resolved = harness.ledger.resolve(&id, key, resolution).await.unwrap();
        assert!(resolved || harness.lossy);
    };
    resolve("r0@example.com", Resolution::Sent).await;
    resolve("r1@example.com", Resolution::Resend).await;
    for (key, resolution) in [
        ("r2@example.com", Resolution::Resend),
        ("nobody", Resolution::Sent),
    ] {
        assert!(!harness.ledger.resolve(&id, key, resolution).await.unwrap());
    }
    let counts = harness.counts(&id).await;
    assert_eq!((counts.sent, counts.unknown), (2, 0));
    harness.pass(seconds(15 * 60)).await;
    let again = harness.claim(2).await;
    assert_eq!(again.deliveries.len(), 1);
    assert_eq!(again.deliveries[0].record.key(), "r1@example.com");
    assert_eq!(again.deliveries[0].repeats, Some(begun_at));
    harness.begin(&again, 1, 1).await;
    harness.settle(&again, 0, Settled::Sent).await;
    assert_eq!(status(harness, &id).await.state, CampaignState::Completed);
    assert_eq!(status(harness, &id).await.finished_at, Some(harness.now()));
}

/// Every question about nobody.
pub async fn what_is_not_there_is_not_found(harness: &Harness) {
    let id: CampaignId = "nobody".parse().unwrap();
    let query = DeliveryQuery {
        campaign: id.clone(),
        page: 0,
    };
    let ledger = &harness.ledger;
    let kinds = [
        ledger.status(&id).await.unwrap_err().kind(),
        ledger.hold(&id, &pause()).await.unwrap_err().kind(),
        ledger.outcomes(&query).await.unwrap_err().kind(),
        ledger.purge(&id).await.unwrap_err().kind(),
        harness
            .intake
            .ticket(&(&id).into(), "a")
            .await
            .unwrap_err()
            .kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NotFound; 5]);
    assert!(ledger.list().await.unwrap().is_empty());
}

/// Not in that of their names.
pub async fn campaigns_are_listed_in_the_order_of_submission(harness: &Harness) {
    for id in ["b", "c", "a"] {
        harness.submit(&campaign(id), 1).await;
        harness.pass(seconds(1)).await;
    }
    let listed = harness.ledger.list().await.unwrap();
    let names: Vec<&str> = listed
        .iter()
        .map(|status| status.campaign.as_str())
        .collect();
    assert_eq!(names, ["b", "c", "a"]);
}

/// In the order of loading; beyond the last there is nothing.
pub async fn outcomes_come_page_by_page(harness: &Harness) {
    let id = harness.submit(&campaign("c"), 150).await;
    let mut keys = Vec::new();
    for page in 0.. {
        let query = DeliveryQuery {
            campaign: id.clone(),
            page,
        };
        let page = harness.ledger.outcomes(&query).await.unwrap();
        if page.is_empty() {
            break;
        }
        keys.extend(page.into_iter().map(|delivery| delivery.key));
    }
    let expected: Vec<String> = (0..150).map(|i| format!("r{i}@example.com")).collect();
    assert_eq!(keys, expected);
}

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
        Scope::Relay(super::harness::relay("default")),
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
