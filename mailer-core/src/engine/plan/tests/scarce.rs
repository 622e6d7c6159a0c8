//! The gate is not asked for more than limits have left.

use super::stage::Stage;
use crate::engine::plan::Input;

const SENDER: &str = "news@shop.example";

fn connections(stage: &Stage) -> usize {
    let health = stage.plan.health();
    health.relays.values().map(|relay| relay.connections).sum()
}

#[tokio::test]
async fn what_is_left_is_asked_for_and_one_more_which_is_refused_for_all() {
    let mut stage = Stage::under(&["10/hour"], 6).await;
    stage.submit("c", SENDER, 50).await;
    assert_eq!(stage.asks().await, ["c"; 6]);
    assert_eq!(stage.asks().await, ["c"; 5]);
    assert_eq!(stage.asks().await, [""; 0]);
    assert_eq!(stage.plan.health().waiting, 0, "the others went back");
    stage.pass(3_600_000).await;
    assert_eq!(stage.asks().await, ["c"; 6], "a window turns for all");
}

#[tokio::test]
async fn where_nothing_is_left_one_of_all_streams_is_asked_for() {
    let mut stage = Stage::under(&["6/hour"], 6).await;
    for id in ["a", "b"] {
        stage.submit(id, SENDER, 50).await;
    }
    assert_eq!(stage.asks().await, ["a", "a", "a", "b", "b", "b"]);
    assert_eq!(stage.asks().await, ["a"]);
    assert_eq!(stage.asks().await, [""; 0]);
}

#[tokio::test]
async fn each_scope_has_what_it_has_left() {
    let mut stage = Stage::under(&["3/hour per campaign", "20/hour"], 6).await;
    for id in ["a", "b"] {
        stage.submit(id, &format!("{id}@shop.example"), 50).await;
    }
    assert_eq!(stage.asks().await, ["a", "a", "a", "b", "b", "b"]);
    stage.submit("c", "c@shop.example", 50).await;
    stage.take(Input::Poked);
    assert_eq!(stage.asks().await, ["a", "b"]);
    assert_eq!(stage.asks().await, ["c"; 6], "what they know of others");
}

#[tokio::test]
async fn another_policy_makes_all_that_was_told_untrue() {
    let mut stage = Stage::under(&["6/hour"], 6).await;
    stage.submit("c", SENDER, 50).await;
    assert_eq!(stage.asks().await, ["c"; 6]);
    stage.limits(&["100/hour"]).await;
    assert_eq!(stage.asks().await, ["c"], "it does not know yet");
    assert_eq!(stage.asks().await, ["c"; 6]);
}

#[tokio::test]
async fn a_token_that_comes_back_is_asked_for() {
    let mut stage = Stage::under(&["6/hour"], 6).await;
    stage.submit("c", SENDER, 50).await;
    assert_eq!(stage.asks().await, ["c"; 6]);
    stage.pass(3_600_000).await;
    assert_eq!(stage.asks().await, ["c"], "the window has turned meanwhile");
    assert_eq!(stage.asks().await, ["c"; 6]);
}

#[tokio::test]
async fn no_more_connections_are_opened_than_there_are_tokens() {
    let mut stage = Stage::under(&["4/hour"], 6).await;
    stage.submit("a", SENDER, 1).await;
    assert_eq!(stage.asks().await, ["a"]);
    stage.submit("b", SENDER, 50).await;
    stage.take(Input::Poked);
    let asked = stage.until_begin().await.unwrap();
    assert_eq!(asked.items.len(), 1, "one connection is there");
    // While that is under way.
    assert!(stage.until_begin().await.is_none());
    assert_eq!(connections(&stage), 4);
}

#[tokio::test]
async fn after_a_long_wait_of_a_slow_pace_two_are_asked_for() {
    let mut stage = Stage::under(&["10/minute pace"], 6).await;
    stage.submit("c", SENDER, 50).await;
    assert_eq!(stage.asks().await, ["c"; 6]);
    assert_eq!(stage.asks().await, [""; 0], "it waits in the store");
    for _ in 0..3 {
        stage.pass(6_000).await;
        assert_eq!(
            stage.asks().await,
            ["c"; 2],
            "the second makes it wait again"
        );
        assert_eq!(stage.asks().await, [""; 0]);
    }
}
