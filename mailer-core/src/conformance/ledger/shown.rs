use super::{pause, status};
use crate::ErrorKind;
use crate::conformance::Harness;
use crate::conformance::harness::{at, campaign, seconds};
use crate::domain::{CampaignId, CampaignState, Policy, Reason};
use crate::queue::{DeliveryQuery, Resolution, Settled};

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
    assert_eq!(
        alive[0].relays,
        [crate::conformance::harness::relay("default")]
    );
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
        harness
            .settle(&claim, place, crate::conformance::harness::ASSUME)
            .await;
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
