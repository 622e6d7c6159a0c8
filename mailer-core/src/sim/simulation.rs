use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{FakeRelay, Trace};
use crate::clock::{Clock, VirtualClock};
use crate::domain::{CampaignId, Policy, Status, WorkerId};
use crate::memory::MemoryStore;
use crate::{Error, Mailer, Store, Worker};

/// The real engine with a memory store and a [`FakeRelay`] under virtual time: a week of a campaign runs in the time that
/// its work takes.
///
/// ```
/// use std::time::Duration;
/// use mailer_core::domain::{Campaign, Policy, Recipient};
/// use mailer_core::sim::Sim;
/// use mailer_core::template::Template;
///
/// let sim = Sim::at("2026-11-24T09:30:00Z".parse().unwrap());
/// sim.run(async |sim| {
///     sim.mailer().set_policy(&Policy::new().limit("100/hour").unwrap(), None).await?;
///     sim.start_worker();
///     let campaign = Campaign::new("spring").from("a@shop.example").template(Template::new("Hi").text("Hi"));
///     let recipients = (0..150).map(|i| Recipient::new(format!("user{i}@example.com")));
///     let spring = sim.mailer().submit(&campaign, recipients).await?;
///     sim.advance(Duration::from_secs(60)).await;
///     assert_eq!(sim.status(&spring.id).await?.reason_code.as_deref(), Some("rate_per_hour"));
///     sim.advance(Duration::from_secs(3600)).await;
///     assert_eq!(sim.status(&spring.id).await?.counts.sent, 150);
///     Ok(())
/// })?;
/// # Ok::<(), mailer_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Sim {
    clock: VirtualClock,
    mailer: Mailer,
    relay: FakeRelay,
    trace: Trace,
    runtime: tokio::runtime::Runtime,
    workers: Mutex<Vec<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Sim {
    /// A simulation that begins at `now`, with an empty store.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        let clock = VirtualClock::at(now);
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self::over(clock, store)
    }

    /// A simulation over another store, which must run by `clock`.
    ///
    /// # Panics
    /// If no runtime can be made, or the store cannot be opened.
    #[must_use]
    pub fn over(clock: VirtualClock, store: impl Into<Store>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a single-threaded runtime without drivers needs nothing of the system");
        let mailer = runtime
            .block_on(Mailer::open(store))
            .expect("the store of a simulation opens");
        let relay = FakeRelay::new().clock(Arc::new(clock.clone()));
        Self {
            clock,
            mailer,
            relay,
            trace: Trace::default(),
            runtime,
            workers: Mutex::default(),
        }
    }

    /// Replaces the relay; it is given the simulation's clock.
    #[must_use]
    pub fn relay_is(mut self, relay: FakeRelay) -> Self {
        self.relay = relay.clock(Arc::new(self.clock.clone()));
        self
    }

    /// Runs a scenario.
    pub fn run<'a, T>(&'a self, scenario: impl AsyncFnOnce(&'a Self) -> T) -> T {
        self.runtime.block_on(scenario(self))
    }

    /// The host's side.
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        &self.mailer
    }

    /// The relay.
    #[must_use]
    pub fn relay(&self) -> &FakeRelay {
        &self.relay
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// What the workers did.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Starts a worker. To be called within [`run`](Self::run).
    ///
    /// # Panics
    /// Outside of [`run`](Self::run).
    pub fn start_worker(&self) {
        let mut workers = self.lock();
        let worker = Worker::builder(&self.mailer)
            .relay("default", self.relay.clone())
            .observer(self.trace.clone())
            .idle_tick(Duration::from_secs(30))
            .id(WorkerId(workers.len() as u64 + 1))
            .build()
            .expect("one relay with a legal name");
        let (stop, stopped) = oneshot::channel();
        let hold = self.clock.hold();
        let task = self.runtime.spawn(async move {
            let _hold = hold;
            let running = worker.run(async {
                // A simulation that is gone stops its workers, too.
                let _ = stopped.await;
            });
            drop(_hold);
            running.await;
        });
        workers.push(Running {
            stop: Some(stop),
            task,
        });
    }

    /// Kills a worker, by the order of their start from 0: as a process that dies at this instant.
    pub fn kill_worker(&self, number: usize) {
        if let Some(worker) = self.lock().get(number) {
            worker.task.abort();
        }
    }

    /// Tells a worker to stop; it drains as time goes on.
    pub fn stop_worker(&self, number: usize) {
        if let Some(stop) = self
            .lock()
            .get_mut(number)
            .and_then(|worker| worker.stop.take())
        {
            // A worker that has ended needs no telling.
            let _ = stop.send(());
        }
    }

    /// Lets time pass. Returns when all that was due has been done.
    pub fn advance(&self, duration: Duration) -> impl Future<Output = ()> + '_ {
        self.clock.advance(duration)
    }

    /// Lets time pass until `at`.
    pub fn advance_to(&self, at: DateTime<Utc>) -> impl Future<Output = ()> + '_ {
        self.clock.advance_to(at)
    }

    /// Lets time pass until a campaign is finished, at most for `at_most`. Returns its status then.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn until_finished(
        &self,
        campaign: &CampaignId,
        at_most: Duration,
    ) -> Result<Status, Error> {
        let end = self.clock.monotonic().saturating_add(at_most);
        loop {
            let status = self.status(campaign).await?;
            if status.finished_at.is_some() || !self.clock.step(end).await {
                return self.status(campaign).await;
            }
        }
    }

    /// What a campaign is doing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn status(&self, campaign: &CampaignId) -> Result<Status, Error> {
        self.clock.rest().await;
        self.mailer.status(campaign).await
    }

    /// Sets a policy.
    ///
    /// # Errors
    /// None with a store in memory.
    pub async fn set_policy(&self, policy: &Policy) -> Result<(), Error> {
        self.mailer.set_policy(policy, None).await.map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Running>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
