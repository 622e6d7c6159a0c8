//! The worker: who sends.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::driver::{Driver, Tools, Until};
use super::health::{Health, HealthBoard};
use super::plan::Setup;
use super::{Drained, Mailer};
use crate::Error;
use crate::composer::Composer;
use crate::domain::{Fault, RelayName, WorkerId};
use crate::observer::Observer;
use crate::transport::Transport;

/// Sends what the store has: in any number of processes, each bound by the same policy.
///
/// ```
/// use std::future::ready;
/// use mailer_core::memory::MemoryStore;
/// use mailer_core::sim::FakeRelay;
/// use mailer_core::{Mailer, Worker};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mailer = Mailer::open(MemoryStore::new()).await?;
/// let worker = Worker::builder(&mailer).relay("default", FakeRelay::new()).build()?;
/// let drained = worker.run(ready(())).await; // told to stop at once
/// assert_eq!(drained.finished, 0);
/// # Ok::<(), mailer_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Worker {
    tools: Tools,
    id: WorkerId,
    idle_tick: Duration,
    namespace: String,
}

/// Puts a [`Worker`] together.
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct WorkerBuilder {
    mailer: Mailer,
    transports: BTreeMap<String, Arc<dyn Transport>>,
    composers: Vec<Arc<dyn Composer>>,
    observer: Option<Arc<dyn Observer>>,
    drain_timeout: Duration,
    idle_tick: Duration,
    id: Option<WorkerId>,
}

impl Worker {
    /// A worker over the store of `mailer`.
    pub fn builder(mailer: &Mailer) -> WorkerBuilder {
        WorkerBuilder {
            mailer: mailer.clone(),
            transports: BTreeMap::new(),
            composers: Vec::new(),
            observer: None,
            drain_timeout: Duration::from_secs(25),
            idle_tick: Duration::from_millis(500),
            id: None,
        }
    }

    /// Works until `shutdown` is ready. Then nothing more is claimed, what is in flight is finished within the drain
    /// timeout, and the rest is given back.
    ///
    /// # Cancel safety
    /// Dropping this is a crash: what is in flight is unknown, and the claims are taken back by other workers in about
    /// 75 seconds. Use `shutdown`.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) -> Drained {
        Driver::new(&self.tools, self.setup())
            .run(shutdown, Until::Stopped)
            .await
    }

    /// Works until nothing is due, then stops as [`run`](Self::run) does.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn run_until_idle(&self) -> Drained {
        self.run_until_idle_or(std::future::pending()).await
    }

    /// Works until nothing is due or `shutdown` is ready, whichever comes first, then stops as [`run`](Self::run) does.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    pub async fn run_until_idle_or(&self, shutdown: impl Future<Output = ()> + Send) -> Drained {
        Driver::new(&self.tools, self.setup())
            .run(shutdown, Until::Idle)
            .await
    }

    /// How it is at this moment, from any task while it runs.
    #[must_use]
    pub fn health(&self) -> Health {
        self.tools.health.read()
    }

    fn setup(&self) -> Setup {
        Setup {
            worker: self.id,
            composers: self.tools.composers.keys().cloned().collect(),
            relays: self
                .tools
                .transports
                .iter()
                .map(|(name, transport)| (name.clone(), transport.max_connections()))
                .collect(),
            idle_tick: self.idle_tick,
            namespace: self.namespace.clone(),
        }
    }
}

impl WorkerBuilder {
    /// Binds a relay's name to a transport.
    pub fn relay(mut self, name: impl Into<String>, transport: impl Transport + 'static) -> Self {
        self.transports.insert(name.into(), Arc::new(transport));
        self
    }

    /// Adds a composer beside those of the mailer; one of the same name replaces it.
    pub fn composer(mut self, composer: impl Composer + 'static) -> Self {
        self.composers.push(Arc::new(composer));
        self
    }

    /// Tells `observer` what happens.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// How long a stop waits for mails in flight; 25 s, if not given. What is not finished then is unknown.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// How often the store is asked while nothing is in hand; 500 ms, if not given. Changes made through the same
    /// process's mailer are noticed at once in any case, and those of other processes where the store has
    /// [`News`](crate::news::News).
    pub fn idle_tick(mut self, interval: Duration) -> Self {
        self.idle_tick = interval.max(Duration::from_millis(10));
        self
    }

    /// The worker's number; random, if not given. For simulations that must repeat exactly.
    pub fn id(mut self, id: WorkerId) -> Self {
        self.id = Some(id);
        self
    }

    /// Builds it. Opens nothing, and needs no runtime.
    ///
    /// # Errors
    /// `Invalid`: no relay, or a relay's name that is not legal.
    pub fn build(self) -> Result<Worker, Error> {
        let mut faults = Vec::new();
        if self.transports.is_empty() {
            faults.push(Fault::new("relay", "", "a worker needs at least one relay"));
        }
        let mut transports = BTreeMap::new();
        for (name, transport) in self.transports {
            match name.parse::<RelayName>() {
                Ok(name) => {
                    transports.insert(name, transport);
                }
                Err(error) => faults.push(Fault::new("relay", name, error.to_string())),
            }
        }
        if !faults.is_empty() {
            return Err(Error::invalid("worker", faults));
        }
        let mut composers = self.mailer.composers().clone();
        composers.extend(
            self.composers
                .into_iter()
                .map(|composer| (composer.name().to_owned(), composer)),
        );
        Ok(Worker {
            namespace: self.mailer.namespace().to_owned(),
            tools: Tools {
                store: self.mailer.store().clone(),
                composers,
                transports,
                observer: self.observer,
                pokes: self.mailer.pokes(),
                drain_timeout: self.drain_timeout,
                health: HealthBoard::default(),
            },
            id: self.id.unwrap_or_else(|| WorkerId(fastrand::u64(..))),
            idle_tick: self.idle_tick,
        })
    }
}
