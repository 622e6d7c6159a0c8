//! A plan, the store that answers it, and the clock of both.

use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::clock::{Clock, VirtualClock};
use crate::composer::Composer;
use crate::domain::{
    Campaign, Content, Lane, Message, Outcome, Policy, Recipient, RelayName, WorkerId,
};
use crate::engine::plan::{Answer, Input, Plan, Setup, Step};
use crate::gate::{BeginBatch, Gate};
use crate::memory::MemoryStore;
use crate::policy_store::PolicyStore;
use crate::queue::{ClaimRequest, Created, DeferQueue, Intake};
use crate::template::{Template, TemplateComposer};
use crate::transport::Report;

pub(super) struct Stage {
    pub(super) store: MemoryStore,
    pub(super) clock: VirtualClock,
    pub(super) plan: Plan,
    /// What the plan has asked of the queue, the last at the end.
    pub(super) claims: Vec<ClaimRequest>,
    /// Connections that are ready once all else is done.
    opening: Vec<u64>,
}

impl Stage {
    /// With so many connections to the default relay, which takes every mail at once.
    pub(super) fn new(connections: usize) -> Self {
        let clock = VirtualClock::at("2026-11-24T09:00:00Z".parse().unwrap());
        let setup = Setup {
            worker: WorkerId(1),
            composers: vec![Template::COMPOSER.to_owned()],
            relays: [(RelayName::DEFAULT.parse().unwrap(), connections)].into(),
            idle_tick: Duration::from_secs(1),
            namespace: "n".to_owned(),
        };
        Self {
            store: MemoryStore::with_clock(Arc::new(clock.clone())),
            plan: Plan::new(setup, clock.monotonic(), clock.now()),
            clock,
            claims: Vec::new(),
            opening: Vec::new(),
        }
    }

    /// The same under these limits.
    pub(super) async fn under(limits: &[&str], connections: usize) -> Self {
        let stage = Self::new(connections);
        stage.limits(limits).await;
        stage
    }

    pub(super) async fn limits(&self, limits: &[&str]) {
        let policy = limits
            .iter()
            .fold(Policy::new(), |policy, limit| policy.limit(limit).unwrap());
        self.store.set_policy(&policy, None).await.unwrap();
    }

    pub(super) async fn submit(&self, id: &str, from: &str, recipients: usize) {
        let campaign = Campaign::new(id)
            .from(from)
            .template(Template::new("s").text("t"));
        let spec = campaign.check().unwrap();
        let Created::Loading(loading) = self.store.create(&spec, 1).await.unwrap() else {
            panic!("it is new");
        };
        let records: Vec<_> = (0..recipients)
            .map(|number| {
                Recipient::new(format!("r{number}@example.com"))
                    .check()
                    .unwrap()
            })
            .collect();
        let load = self.store.append(&loading.load, &records).await.unwrap();
        self.store.seal(&load).await.unwrap();
    }

    pub(super) async fn enqueue(&self, key: &str) {
        let content = Content::new()
            .from("shop@shop.example")
            .template(Template::new("s").text("t"));
        let message = Message::new(key, content, Recipient::new("ann@example.com"));
        let message = message.lane(Lane::Transactional).check().unwrap();
        self.store.enqueue(&message).await.unwrap();
    }

    pub(super) async fn pass(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis)).await;
    }

    /// For how long there is nothing to do.
    pub(super) fn sleeps(&self) -> Duration {
        let now = self.clock.monotonic();
        self.plan.sleep_until(now) - now
    }

    pub(super) fn take(&mut self, input: Input) {
        self.plan.take(self.clock.monotonic(), input);
    }

    pub(super) fn answer<T>(&self, result: Result<T, Error>) -> Answer<T> {
        let asked_at = self.clock.monotonic();
        Answer { asked_at, result }
    }

    /// Carries out what the plan decides until it asks the gate. None: it has nothing to do.
    pub(super) async fn until_begin(&mut self) -> Option<BeginBatch> {
        loop {
            while let Some(step) = self.plan.next_step(self.clock.monotonic()) {
                match step {
                    Step::Begin(batch) => return Some(batch),
                    other => self.carry_out(other).await,
                }
            }
            if self.opening.is_empty() {
                return None;
            }
            for connection in std::mem::take(&mut self.opening) {
                self.take(Input::Report(Report::Ready { connection }));
            }
        }
    }

    /// The streams of the mails that the gate is asked for next, which it then answers. None: it is asked for nothing.
    pub(super) async fn asks(&mut self) -> Vec<String> {
        let Some(batch) = self.until_begin().await else {
            return Vec::new();
        };
        let reply = self.store.begin(&batch).await;
        self.take(Input::Began(self.answer(reply)));
        let streams = batch.items.iter();
        streams
            .map(|item| item.binding.stream.to_string())
            .collect()
    }

    pub(super) async fn carry_out(&mut self, step: Step) {
        let input = match step {
            Step::Tick(tick) => Input::Ticked(self.answer(self.store.tick(&tick).await)),
            Step::Claim(request) => {
                let reply = self.store.claim(&request).await;
                self.claims.push(request);
                Input::Claimed(self.answer(reply))
            }
            Step::Compose(compose) => {
                let records: Vec<_> = compose.records.iter().collect();
                let composer = TemplateComposer::new();
                Input::Composed {
                    result: composer.compose(&compose.letter, &records).await,
                    letter: compose.letter,
                    flights: compose.flights,
                }
            }
            Step::Connect { connection, .. } => return self.opening.push(connection),
            Step::Send(send) => {
                let (flight, connection) = (send.flight, send.connection);
                let outcome = Outcome::Sent {
                    reply: String::new(),
                };
                self.take(Input::Report(Report::Finished { flight, outcome }));
                Input::Report(Report::Ready { connection })
            }
            Step::Settle(verdicts) => {
                let (settlements, defers) = (verdicts.settlements, verdicts.defers);
                Input::Settled(self.answer(self.store.settle(&settlements, &defers).await))
            }
            Step::Begin(_) | Step::Halt(_) | Step::Fail(_) | Step::Close { .. } => {
                panic!("{step:?}")
            }
        };
        self.take(input);
    }
}
