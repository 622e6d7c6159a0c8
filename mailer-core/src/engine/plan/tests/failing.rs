//! Single mails that fail together, while the store is asked whether they do.

use super::stage::Stage;
use crate::clock::Clock;
use crate::domain::{Failure, HaltCause};
use crate::engine::plan::{Input, Step};
use crate::queue::{DeferQueue, Settled};
use crate::transport::{ConnectError, End, Report};

/// The next step that is not about the store.
async fn next(stage: &mut Stage) -> Option<Step> {
    while let Some(step) = stage.plan.next_step(stage.clock.monotonic()) {
        match step {
            Step::Tick(_) | Step::Claim(_) => stage.carry_out(step).await,
            other => return Some(other),
        }
    }
    None
}

#[tokio::test]
async fn a_mail_that_is_composed_meanwhile_is_not_sent() {
    let mut stage = Stage::under(&["100/hour"], 1).await;
    stage.enqueue("a").await;
    let composing = next(&mut stage).await.unwrap();
    stage.carry_out(composing).await;
    let Some(Step::Connect { connection, .. }) = next(&mut stage).await else {
        panic!("a mail waits for a connection");
    };
    stage.enqueue("b").await;
    stage.take(Input::Poked);
    let composing = next(&mut stage).await.unwrap();
    assert!(matches!(composing, Step::Compose(_)), "{composing:?}");

    let end = End::Failed(ConnectError::Config {
        cause: HaltCause::BadCredentials,
        reply: "535".to_owned(),
    });
    stage.take(Input::Report(Report::Closed { connection, end }));
    let Some(Step::Fail(failing)) = next(&mut stage).await else {
        panic!("the store is asked");
    };
    stage.carry_out(composing).await;
    stage.pass(60_000).await;
    let step = next(&mut stage).await;
    assert!(step.is_none(), "{step:?}");
    assert!(!stage.plan.is_at_rest());

    let deferred = stage.store.defer(&failing.defer).await;
    stage.take(Input::Failing(failing, deferred));
    let Some(Step::Settle(verdicts)) = next(&mut stage).await else {
        panic!("they have failed");
    };
    let settled: Vec<_> = verdicts.settlements.iter().map(|one| one.settled).collect();
    assert_eq!(settled, [Settled::Failed(Failure::Config); 2]);
}
