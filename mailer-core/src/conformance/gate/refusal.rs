use chrono::TimeDelta;

use crate::calendar::WorkCalendar;
use crate::conformance::Harness;
use crate::conformance::harness::{at, campaign, is_go, limited, minutes, went};
use crate::domain::{CampaignState, Lane, Policy, Reason, Scope};
use crate::gate::Verdict;
use crate::queue::{Claim, Settled};

fn office() -> Policy {
    Policy::new().hours("Mon-Fri 09:00-18:00", "UTC").unwrap()
}

/// Claimed while the hours were open, asked when they have closed: the lease is kept.
async fn claimed_at(harness: &Harness, policy: &Policy, instant: &str) -> Claim {
    harness.set_policy(policy).await;
    harness.submit(&campaign("c"), 20).await;
    harness.to(instant).await;
    let claim = harness.claim(1).await;
    assert_eq!(claim.deliveries.len(), 20);
    claim
}

/// What the hours refuse has taken no token.
pub async fn hours_go_before_limits(harness: &Harness) {
    let policy = office().limit("5/day").unwrap();
    let claim = claimed_at(harness, &policy, "2026-11-24T17:59:30Z").await;
    harness.to("2026-11-24T18:00:00Z").await;
    let verdicts = harness.begin(&claim, 1, 20).await;
    assert_eq!(limited(&verdicts[0]).reason, Reason::OutsideHours);
    let limits = [("5/day".parse().unwrap(), Scope::Namespace)];
    assert_eq!(harness.limiter.usage(&limits).await.unwrap()[0].used, 0);
}

/// One record for all campaigns, until the hours open.
pub async fn a_closed_hour_defers_the_lane(harness: &Harness) {
    let claim = claimed_at(harness, &office(), "2026-11-24T17:59:30Z").await;
    harness.to("2026-11-24T18:00:00Z").await;
    let deferral = limited(&harness.begin_one(&claim, 1, 0).await);
    assert_eq!(deferral.scope, Scope::Namespace);
    assert_eq!(deferral.lane, Some(Lane::Bulk));
    assert_eq!(deferral.until, Some(at("2026-11-25T09:00:00Z")));
    harness.settle_all(&claim, Settled::NotStarted).await;
    assert!(harness.try_claim(2).await.is_none());
    assert_eq!(harness.next_due(3).await, Some(at("2026-11-25T09:00:00Z")));
    harness.to("2026-11-25T08:59:59.999Z").await;
    assert!(harness.try_claim(4).await.is_none());
    harness.to("2026-11-25T09:00:00Z").await;
    let claim = harness.claim(5).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// A password reset leaves at night.
pub async fn hours_of_bulk_bind_no_other_lane(harness: &Harness) {
    harness.set_policy(&office()).await;
    harness.to("2026-11-24T23:00:00Z").await;
    harness.submit(&campaign("c"), 1).await;
    harness.enqueue("a", Lane::Transactional).await;
    let claim = harness.claim(1).await;
    assert_eq!(claim.binding.lane, Lane::Transactional);
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
    assert!(harness.try_claim(2).await.is_none());
}

/// A second before closing time a token is good for a second.
pub async fn nothing_begins_after_the_hours_have_closed(harness: &Harness) {
    let claim = claimed_at(harness, &office(), "2026-11-24T17:59:59Z").await;
    let Verdict::Go { send_by, .. } = harness.begin_one(&claim, 1, 0).await else {
        panic!("the hours are open");
    };
    assert!(send_by <= at("2026-11-24T18:00:00Z"), "{send_by}");
}

/// A campaign whose hours never meet the policy's: somebody must act; another policy may help by itself.
pub async fn hours_that_never_open_halt(harness: &Harness) {
    harness.set_policy(&office()).await;
    let never = WorkCalendar::parse("Sat-Sun 09:00-18:00", "UTC").unwrap();
    let id = harness.submit(&campaign("c").hours(never), 5).await;
    assert!(harness.try_claim(1).await.is_none());
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.state, CampaignState::Halted);
    assert_eq!(status.reason_code.as_deref(), Some("no_opening"));
    harness
        .set_policy(&Policy::new().hours("Sat 10:00-12:00", "UTC").unwrap())
        .await;
    harness.to("2026-11-28T10:00:00Z").await;
    let claim = harness.claim(2).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// The namespace waits for a namespace's limit, the sender for a sender's; until exactly when a token is free.
pub async fn a_refusal_defers_the_scope_that_refuses(harness: &Harness) {
    harness.limits(&["5/hour per sender", "7/hour"]).await;
    let one = harness
        .submit(&campaign("a").from("a@shop.example"), 9)
        .await;
    harness
        .submit(&campaign("b").from("b@shop.example"), 9)
        .await;
    let (claim_a, claim_b) = (harness.claim(1).await, harness.claim(2).await);
    let verdicts = harness.begin(&claim_a, 1, 9).await;
    assert_eq!(went(&verdicts), 5);
    let deferral = limited(&verdicts[8]);
    assert_eq!(deferral.scope, Scope::sender("a@shop.example"));
    assert_eq!(deferral.reason, Reason::RatePerHour);
    assert_eq!(deferral.until, Some(at("2026-11-24T10:00:00Z")));
    assert_eq!(deferral.detail, None);
    let status = harness.ledger.status(&one).await.unwrap();
    assert_eq!(status.next_run_at, Some(at("2026-11-24T10:00:00Z")));
    let verdicts = harness.begin(&claim_b, 1, 9).await;
    assert_eq!(went(&verdicts), 2);
    assert_eq!(limited(&verdicts[2]).scope, Scope::Namespace);
}

/// The limit stops it, the hours move it.
pub async fn a_limit_that_ends_after_work_waits_for_the_next_work_start(harness: &Harness) {
    let policy = office().limit("5/hour").unwrap();
    let claim = claimed_at(harness, &policy, "2026-11-27T17:30:00Z").await;
    let verdicts = harness.begin(&claim, 1, 20).await;
    assert_eq!(went(&verdicts), 5);
    let deferral = limited(&verdicts[5]);
    assert_eq!(deferral.reason, Reason::RatePerHour);
    assert_eq!(deferral.detail.as_deref(), Some("outside_hours"));
    assert_eq!(deferral.until, Some(at("2026-11-30T09:00:00Z")));
    assert_eq!(deferral.since, harness.now());
    harness.settle_all(&claim, Settled::NotStarted).await;
    harness.to("2026-11-27T18:00:00Z").await;
    assert!(harness.try_claim(2).await.is_none());
    let status = harness.ledger.status(&"c".parse().unwrap()).await.unwrap();
    assert_eq!(status.next_run_at, Some(at("2026-11-30T09:00:00Z")));
    harness.to("2026-11-30T09:00:00Z").await;
    let claim = harness.claim(3).await;
    assert_eq!(went(&harness.begin(&claim, 1, 9).await), 5);
}

/// The worker waits it out with the mail in hand.
pub async fn a_short_wait_defers_nothing(harness: &Harness) {
    harness.limits(&["2/s pace"]).await;
    harness.submit(&campaign("c"), 200).await;
    let claim = harness.claim(1).await;
    let verdicts = harness.begin(&claim, 1, 3).await;
    assert_eq!(went(&verdicts), 1);
    let deferral = limited(&verdicts[1]);
    assert_eq!(deferral.reason, Reason::Pacing);
    assert_eq!(
        deferral.until,
        Some(harness.now() + TimeDelta::milliseconds(500))
    );
    harness.claim(2).await;
    harness.clock.advance_to(deferral.until.unwrap()).await;
    assert!(is_go(&harness.begin_one(&claim, 2, 1).await));
}

/// No instant to wait for.
pub async fn a_closed_limit_waits_for_another_policy(harness: &Harness) {
    harness.limits(&["0/hour"]).await;
    let id = harness.submit(&campaign("c"), 2).await;
    let claim = harness.claim(1).await;
    let deferral = limited(&harness.begin_one(&claim, 1, 0).await);
    assert_eq!(
        (deferral.reason, deferral.until),
        (Reason::LimitClosed, None)
    );
    harness.settle_all(&claim, Settled::NotStarted).await;
    assert_eq!(harness.next_due(2).await, None);
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.reason_code.as_deref(), Some("limit_closed"));
    harness.limits(&["1/hour"]).await;
    let claim = harness.claim(3).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// Beside the policy's; other campaigns go on.
pub async fn a_campaigns_own_limits_narrow(harness: &Harness) {
    harness.limits(&["10/hour"]).await;
    let own = campaign("a").limit("3/hour per campaign".parse().unwrap());
    harness.submit(&own, 9).await;
    harness.submit(&campaign("b"), 9).await;
    let (claim_a, claim_b) = (harness.claim(1).await, harness.claim(2).await);
    let verdicts = harness.begin(&claim_a, 1, 9).await;
    assert_eq!(went(&verdicts), 3);
    assert_eq!(limited(&verdicts[3]).scope, Scope::Campaign("a".to_owned()));
    let verdicts = harness.begin(&claim_b, 1, 9).await;
    assert_eq!(went(&verdicts), 7);
    harness.settle_all(&claim_a, Settled::Returned).await;
    assert!(harness.try_claim(3).await.is_none());
}

/// Both must be open; only the campaign waits.
pub async fn a_campaigns_own_hours_narrow(harness: &Harness) {
    harness.set_policy(&office()).await;
    let own = WorkCalendar::parse("Tue 11:00-20:00", "UTC").unwrap();
    let id = harness.submit(&campaign("a").hours(own), 2).await;
    assert!(harness.try_claim(1).await.is_none());
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.next_run_at, Some(at("2026-11-24T11:00:00Z")));
    harness.submit(&campaign("b"), 2).await;
    assert_eq!(harness.claim(2).await.binding.stream.as_str(), "b");
    harness.to("2026-11-24T11:00:00Z").await;
    let claim = harness.claim(3).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
    harness.settle_all(&claim, Settled::Returned).await;
    harness
        .clock
        .advance(minutes(7 * 60).to_std().unwrap())
        .await;
    assert!(harness.try_claim(4).await.is_none());
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.reason_code.as_deref(), Some("outside_hours"));
}
