//! What a plan decides, told step by step what has happened.

use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Input, Plan, Setup, Step};
use crate::Error;
use crate::clock::{Clock, VirtualClock};
use crate::composer::Composer;
use crate::domain::{Campaign, Policy, Recipient, RelayName, WorkerId};
use crate::gate::{BeginBatch, Gate};
use crate::memory::MemoryStore;
use crate::policy_store::PolicyStore;
use crate::queue::{Created, DeferQueue, Intake};
use crate::template::{Template, TemplateComposer};
use crate::transport::Report;

const NOW: Duration = Duration::ZERO;

fn answer<T>(result: Result<T, Error>) -> Answer<T> {
    Answer {
        asked_at: NOW,
        result,
    }
}

/// A store with a campaign to one.
async fn store(clock: &Arc<dyn Clock>) -> MemoryStore {
    let store = MemoryStore::with_clock(Arc::clone(clock));
    store.set_policy(&Policy::unlimited(), None).await.unwrap();
    let campaign = Campaign::new("c")
        .from("news@shop.example")
        .template(Template::new("s").text("t"));
    let spec = campaign.check().unwrap();
    let Created::Loading(loading) = store.create(&spec, 1).await.unwrap() else {
        panic!("it is new");
    };
    let record = Recipient::new("ann@example.com").check().unwrap();
    let load = store.append(&loading.load, &[record]).await.unwrap();
    store.seal(&load).await.unwrap();
    store
}

/// Carries out what the plan decides until it asks the gate, and returns what it asks.
async fn until_begin(plan: &mut Plan, store: &MemoryStore) -> BeginBatch {
    for _ in 0..100 {
        let input = match plan.next_step(NOW) {
            Some(Step::Tick(tick)) => Input::Ticked(answer(store.tick(&tick).await)),
            Some(Step::Claim(request)) => Input::Claimed(answer(store.claim(&request).await)),
            Some(Step::Connect { connection, .. }) => Input::Report(Report::Ready { connection }),
            Some(Step::Compose(compose)) => {
                let records: Vec<_> = compose.records.iter().collect();
                let result = TemplateComposer::new()
                    .compose(&compose.letter, &records)
                    .await;
                Input::Composed {
                    letter: compose.letter,
                    flights: compose.flights,
                    result,
                }
            }
            Some(Step::Begin(batch)) => return batch,
            other => panic!("{other:?}"),
        };
        plan.take(NOW, input);
    }
    panic!("it asks no gate");
}

#[tokio::test]
async fn what_the_gate_of_a_store_that_lost_its_data_let_go_is_not_sent() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-24T09:00:00Z".parse().unwrap()));
    let store = store(&clock).await;
    let relay: RelayName = "default".parse().unwrap();
    let setup = Setup {
        worker: WorkerId(1),
        composers: vec![Template::COMPOSER.to_owned()],
        relays: [(relay, 1)].into(),
        idle_tick: Duration::from_secs(1),
        namespace: "n".to_owned(),
    };
    let mut plan = Plan::new(setup, NOW, clock.now());
    let batch = until_begin(&mut plan, &store).await;

    let lost = Error::rolled_back("tick", "another identity");
    plan.take(NOW, Input::Ticked(answer(Err(lost))));
    plan.take(NOW, Input::Began(answer(store.begin(&batch).await)));
    plan.stop(NOW);
    while let Some(step) = plan.next_step(NOW) {
        assert!(matches!(step, Step::Close { .. }), "{step:?}");
    }
    assert!(plan.is_stopped(), "it waits for a mail that was never sent");
    assert_eq!(plan.drained().in_doubt, 0);
}
