//! What is known of the store while a claim is under way.

use super::stage::Stage;
use crate::clock::Clock;
use crate::engine::plan::{Input, Step};
use crate::queue::DeferQueue;

const SENDER: &str = "news@shop.example";

/// A claim that found nothing, and whose answer is still on its way.
async fn empty_handed(stage: &mut Stage) -> Input {
    loop {
        let step = stage.plan.next_step(stage.clock.monotonic());
        match step.expect("it looks for something to do") {
            Step::Claim(request) => {
                let reply = stage.store.claim(&request).await;
                return Input::Claimed(stage.answer(reply));
            }
            other => stage.carry_out(other).await,
        }
    }
}

#[tokio::test]
async fn what_comes_while_a_claim_is_under_way_is_looked_for_again() {
    let mut stage = Stage::under(&[], 4).await;
    let late = empty_handed(&mut stage).await;
    stage.submit("a", SENDER, 3).await;
    stage.take(Input::Poked);
    // The tick that the news caused is answered before the claim.
    let step = stage.plan.next_step(stage.clock.monotonic()).unwrap();
    assert!(matches!(step, Step::Tick(_)), "{step:?}");
    stage.carry_out(step).await;
    stage.take(late);
    assert_eq!(stage.asks().await, ["a"; 3]);
}

#[tokio::test]
async fn mails_of_one_claim_are_asked_for_side_by_side() {
    let mut stage = Stage::under(&[], 6).await;
    for id in ["a", "b"] {
        stage.submit(id, SENDER, 50).await;
    }
    let half = 3;
    let asked = stage.asks().await;
    assert_eq!(asked, [vec!["a"; half], vec!["b"; half]].concat());
}
