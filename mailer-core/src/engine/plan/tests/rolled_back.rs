//! A store that has lost its data.

use super::stage::Stage;
use crate::Error;
use crate::clock::Clock as _;
use crate::engine::plan::{Input, Step};
use crate::gate::Gate as _;

#[tokio::test]
async fn what_the_gate_of_a_store_that_lost_its_data_let_go_is_not_sent() {
    let mut stage = Stage::under(&[], 1).await;
    stage.submit("c", "news@shop.example", 1).await;
    let batch = stage.until_begin().await.unwrap();

    let lost = Error::rolled_back("tick", "another identity");
    stage.take(Input::Ticked(stage.answer(Err(lost))));
    let reply = stage.store.begin(&batch).await;
    stage.take(Input::Began(stage.answer(reply)));
    let now = stage.clock.monotonic();
    stage.plan.stop(now);
    while let Some(step) = stage.plan.next_step(now) {
        assert!(matches!(step, Step::Close { .. }), "{step:?}");
    }
    let plan = &stage.plan;
    assert!(plan.is_stopped(), "it waits for a mail that was never sent");
    assert_eq!(plan.drained().in_doubt, 0);
}
