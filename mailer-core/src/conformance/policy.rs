//! The points of [`PolicyStore`](crate::policy_store::PolicyStore).

use super::Harness;
use super::harness::{at, campaign, is_go, limited};
use crate::ErrorKind;
use crate::domain::{Policy, Reason};
use crate::gate::Verdict;

/// A test for every point of [`PolicyStore`](crate::policy_store::PolicyStore).
#[macro_export]
macro_rules! policy_conformance {
    ($make:path) => {
        $crate::conformance_points! { policy, $make:
            there_is_none_at_first
            init_sets_it_once
            versions_grow_by_one_with_every_change
            an_equal_policy_changes_nothing
            a_change_on_another_version_is_a_conflict
            versions_grow_over_clear
            without_a_policy_nothing_is_claimed
            a_cleared_policy_stops_what_is_claimed
            a_change_acts_on_the_next_begin
            a_change_ends_the_waits_that_the_old_policy_caused
            a_limit_of_another_kind_stays_until_its_window_ends
            retiring_limits_add_up
        }
    };
}

fn hourly(cap: u32) -> Policy {
    Policy::new().limit(&format!("{cap}/hour")).unwrap()
}

/// Nothing, until somebody sets one.
pub async fn there_is_none_at_first(harness: &Harness) {
    assert_eq!(harness.policy.policy().await.unwrap(), None);
}

/// Who inits later gets what is in force.
pub async fn init_sets_it_once(harness: &Harness) {
    let first = harness.policy.init_policy(&hourly(1)).await.unwrap();
    let second = harness.policy.init_policy(&hourly(2)).await.unwrap();
    assert_eq!((first.version, &first.policy), (1, &hourly(1)));
    assert_eq!(second, first);
    assert_eq!(harness.policy.policy().await.unwrap(), Some(first));
}

/// 1, 2, 3.
pub async fn versions_grow_by_one_with_every_change(harness: &Harness) {
    for version in 1..=3 {
        assert_eq!(
            harness.set_policy(&hourly(version)).await,
            u64::from(version)
        );
    }
}

/// The same rules: the same version.
pub async fn an_equal_policy_changes_nothing(harness: &Harness) {
    harness.set_policy(&hourly(1)).await;
    assert_eq!(harness.set_policy(&hourly(1)).await, 1);
    assert_eq!(harness.set_policy(&hourly(2)).await, 2);
}

/// Two operators who read the same version: one of them wins.
pub async fn a_change_on_another_version_is_a_conflict(harness: &Harness) {
    let set = async |cap, version| harness.policy.set_policy(&hourly(cap), Some(version)).await;
    assert_eq!(set(1, 7).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(set(1, 0).await.unwrap().version, 1);
    assert_eq!(set(2, 1).await.unwrap().version, 2);
    assert_eq!(set(3, 1).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(harness.version().await, 2);
}

/// A version names one policy for good.
pub async fn versions_grow_over_clear(harness: &Harness) {
    harness.set_policy(&hourly(1)).await;
    harness.policy.clear_policy().await.unwrap();
    assert_eq!(harness.policy.policy().await.unwrap(), None);
    assert!(harness.set_policy(&hourly(1)).await > 1);
}

/// No policy: nothing is sent, and the status says why.
pub async fn without_a_policy_nothing_is_claimed(harness: &Harness) {
    let id = harness.submit(&campaign("c"), 1).await;
    assert!(harness.try_claim(1).await.is_none());
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.reason_code.as_deref(), Some(Reason::NoPolicy.code()));
    harness.set_policy(&Policy::unlimited()).await;
    assert!(harness.try_claim(2).await.is_some());
}

/// Also what a worker has in hand does not begin.
pub async fn a_cleared_policy_stops_what_is_claimed(harness: &Harness) {
    let version = harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    harness.policy.clear_policy().await.unwrap();
    // Told that the version is another one, a worker asks again with that.
    let mut batch = super::harness::batch(version, &claim, 1, 0..1);
    let mut reply = harness.gate.begin(&batch).await.unwrap();
    if reply.verdicts[0] == Verdict::PolicyChanged {
        batch.policy_version = reply.policy_version;
        batch.items[0].call = 2;
        reply = harness.gate.begin(&batch).await.unwrap();
    }
    assert_eq!(limited(&reply.verdicts[0]).reason, Reason::NoPolicy);
}

/// Who knows an older version is told, and begins nothing.
pub async fn a_change_acts_on_the_next_begin(harness: &Harness) {
    let old = harness.limits(&["100/hour"]).await;
    harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    let new = harness.limits(&["1/hour"]).await;
    let batch = super::harness::batch(old, &claim, 1, 0..3);
    let reply = harness.gate.begin(&batch).await.unwrap();
    assert_eq!(reply.verdicts, vec![Verdict::PolicyChanged; 3]);
    assert_eq!(reply.policy_version, new);
    let verdicts = harness.begin(&claim, 2, 3).await;
    assert!(is_go(&verdicts[0]), "{verdicts:?}");
    assert_eq!(limited(&verdicts[1]).reason, Reason::RatePerHour);
}

/// Hours and limits of the old policy hold nobody back under the new one; relay trouble does.
pub async fn a_change_ends_the_waits_that_the_old_policy_caused(harness: &Harness) {
    harness.limits(&["1/day"]).await;
    let id = harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 3).await;
    harness
        .settle_all(&claim, crate::queue::Settled::Returned)
        .await;
    assert!(harness.try_claim(2).await.is_none());
    let waits = harness.ledger.status(&id).await.unwrap();
    assert_eq!(waits.next_run_at, Some(at("2026-11-25T00:00:00Z")));
    harness.limits(&["5/day"]).await;
    let claim = harness.claim(3).await;
    assert!(is_go(&harness.begin_one(&claim, 1, 0).await));
}

/// From 5 per hour to 5 in any 60 minutes: no fresh budget.
pub async fn a_limit_of_another_kind_stays_until_its_window_ends(harness: &Harness) {
    harness.limits(&["5/hour"]).await;
    harness.submit(&campaign("c"), 20).await;
    let claim = harness.claim(1).await;
    assert_eq!(super::harness::went(&harness.begin(&claim, 1, 4).await), 4);
    harness.limits(&["5/60m rolling"]).await;
    let stored = harness.policy.policy().await.unwrap().unwrap();
    assert_eq!(
        stored.retiring,
        [("5/hour".parse().unwrap(), at("2026-11-24T10:00:00Z"))]
    );
    let mut begun = 0;
    for (call, place) in (2..).zip(4..12) {
        begun += usize::from(is_go(&harness.begin_one(&claim, call, place).await));
    }
    assert_eq!(begun, 1);
    harness.tick(1, &[claim.id]).await;
    for _ in 0..60 {
        harness.pass(super::harness::seconds(61)).await;
        harness.tick(1, &[claim.id]).await;
    }
    assert!(is_go(&harness.begin_one(&claim, 20, 12).await));
}

/// A second change within the window forgets neither.
pub async fn retiring_limits_add_up(harness: &Harness) {
    harness.limits(&["5/day"]).await;
    harness.limits(&["5/day@Europe/Moscow"]).await;
    harness.limits(&["5/24h rolling"]).await;
    let stored = harness.policy.policy().await.unwrap().unwrap();
    let retiring: Vec<String> = stored
        .retiring
        .iter()
        .map(|(limit, _)| limit.to_string())
        .collect();
    assert_eq!(retiring, ["5/day", "5/day@Europe/Moscow"]);
}
