//! Short waits are waited out with the mails in hand.

use std::time::Duration;

use super::stage::Stage;
use crate::domain::{Deferral, Lanes, Policy, Reason, RelayName, Scope};
use crate::engine::plan::Input;
use crate::gate::{BeginReply, Left, Scarce, Verdict};
use crate::policy_store::PolicyStore as _;

const SENDER: &str = "news@shop.example";

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A campaign whose first mail has begun under a pace of two in a second.
async fn paced(limit: &str) -> Stage {
    let mut stage = Stage::under(&[limit], 6).await;
    stage.submit("a", SENDER, 100).await;
    assert_eq!(stage.asks().await, ["a"; 6]);
    assert_eq!(stage.asks().await, [""; 0]);
    stage
}

#[tokio::test]
async fn under_a_pace_one_mail_is_asked_for_when_its_time_has_come() {
    let mut stage = paced("2/s pace").await;
    for _ in 0..3 {
        assert_eq!(stage.sleeps(), millis(500));
        stage.pass(499).await;
        assert_eq!(stage.asks().await, [""; 0]);
        stage.pass(1).await;
        assert_eq!(stage.asks().await, ["a"]);
        assert_eq!(stage.asks().await, [""; 0]);
    }
}

#[tokio::test]
async fn after_the_first_as_many_are_asked_for_as_have_come_meanwhile() {
    let mut stage = Stage::under(&["50/s pace"], 9).await;
    stage.submit("a", SENDER, 100).await;
    assert_eq!(stage.asks().await, ["a"; 9]);
    stage.pass(60).await;
    assert_eq!(stage.asks().await, ["a"]);
    assert_eq!(stage.asks().await, ["a"; 3], "two are left");
    assert_eq!(stage.asks().await, [""; 0]);
}

#[tokio::test]
async fn all_streams_wait_for_the_pace_of_their_scope() {
    let mut stage = paced("2/s pace").await;
    stage.submit("b", "b@shop.example", 1).await;
    stage.submit("c", "c@shop.example", 1).await;
    stage.take(Input::Poked);
    assert_eq!(stage.asks().await, [""; 0]);
    stage.pass(500).await;
    assert_eq!(stage.asks().await.len(), 1);
}

/// A hand that is full under a pace for all would be filled with the pages of all campaigns.
#[tokio::test]
async fn who_waits_with_all_others_is_not_passed_over_for_them() {
    let mut stage = paced("2/s pace").await;
    let claimed = stage.claims.len();
    stage.submit("b", "b@shop.example", 100).await;
    stage.take(Input::Poked);
    assert_eq!(stage.asks().await, [""; 0]);
    let last = stage.claims.last().unwrap();
    let default: RelayName = RelayName::DEFAULT.parse().unwrap();
    assert_eq!(stage.claims.len(), claimed + 1, "for other lanes");
    assert!(!last.room.relays[&default].contains(crate::domain::Lane::Bulk));
}

#[tokio::test]
async fn who_waits_alone_is_passed_over_for_others() {
    for per in ["campaign", "sender"] {
        let mut stage = paced(&format!("2/s pace per {per}")).await;
        stage.submit("b", "b@shop.example", 100).await;
        stage.take(Input::Poked);
        assert_eq!(stage.asks().await, ["b"; 6], "{per}");
        let last = &stage.claims.last().unwrap().room;
        assert_eq!(last.except.len(), 1, "{per}");
        assert!(last.relays.values().all(|lanes| *lanes == Lanes::ALL));
        stage.pass(500).await;
        assert_eq!(stage.asks().await, ["a", "b"], "{per}");
    }
}

#[tokio::test]
async fn a_lane_does_not_wait_for_the_pace_of_another() {
    let mut stage = Stage::new(6);
    let policy = Policy::new().limit("20/s pace").unwrap();
    let policy = policy.reserved(50).unwrap();
    stage.store.set_policy(&policy, None).await.unwrap();
    stage.submit("a", SENDER, 100).await;
    assert_eq!(stage.asks().await, ["a"; 6]);
    assert_eq!(stage.asks().await, [""; 0]);
    for key in ["k", "l"] {
        stage.enqueue(key).await;
    }
    stage.take(Input::Poked);
    let mails = "~transactional:default:shop@shop.example";
    assert_eq!(stage.asks().await, [mails; 2]);
}

#[tokio::test]
async fn another_policy_ends_a_wait() {
    let mut stage = paced("2/s pace").await;
    stage.limits(&["100/hour"]).await;
    stage.take(Input::Poked);
    assert_eq!(stage.asks().await, ["a"; 6]);
}

/// Of gates that refuse for a moment and tell no more, or something else.
async fn refused(scope: Scope, told: Option<Left>) -> Stage {
    let mut stage = Stage::under(&[], 6).await;
    for id in ["a", "b"] {
        stage.submit(id, SENDER, 50).await;
    }
    let batch = stage.until_begin().await.unwrap();
    let now = crate::clock::Clock::now(&stage.clock);
    let mut deferral = Deferral::new(scope.clone(), Reason::Pacing, now);
    deferral.until = Some(now + millis(300));
    let mut scarce = Scarce::default();
    if let Some(left) = told {
        scarce.note(scope, crate::domain::Lane::Bulk, left);
    }
    let reply = BeginReply {
        verdicts: vec![Verdict::Limited(Box::new(deferral)); batch.items.len()],
        scarce,
        policy_version: batch.policy_version,
        server_now: now,
    };
    stage.take(Input::Began(stage.answer(Ok(reply))));
    stage
}

#[tokio::test]
async fn a_refusal_for_a_moment_is_waited_out_whatever_else_is_told() {
    let told = |tokens, in_millis: Option<u64>| {
        let start = "2026-11-24T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>();
        let more_at = in_millis.map(|n| start.unwrap() + millis(n));
        Some(Left { tokens, more_at })
    };
    let foreign = Scope::sender("nobody@shop.example");
    for (scope, told, then) in [
        (Scope::Namespace, None, 6),
        (foreign, None, 6),
        (Scope::Namespace, told(0, None), 1),
        (Scope::Namespace, told(3, None), 4),
        (Scope::Namespace, told(0, Some(300)), 1),
        // No gate may make a worker wait for long with mails in hand.
        (Scope::Namespace, told(0, Some(3_600_000)), 1),
    ] {
        let what = format!("{scope} {told:?}");
        let mut stage = refused(scope, told).await;
        assert_eq!(stage.asks().await, [""; 0], "{what}");
        assert_eq!(stage.sleeps(), millis(300), "{what}");
        stage.pass(300).await;
        assert_eq!(stage.asks().await.len(), then, "{what}");
    }
}

#[tokio::test]
async fn what_the_gate_tells_goes_before_what_it_refused_with() {
    let start: chrono::DateTime<chrono::Utc> = "2026-11-24T09:00:00Z".parse().unwrap();
    let (tokens, more_at) = (0, Some(start + millis(70)));
    let mut stage = refused(Scope::Namespace, Some(Left { tokens, more_at })).await;
    assert_eq!(stage.asks().await, [""; 0]);
    assert_eq!(stage.sleeps(), millis(70));
    stage.pass(70).await;
    assert_eq!(stage.asks().await.len(), 1);
}
