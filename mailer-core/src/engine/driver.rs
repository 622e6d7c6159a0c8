//! Carries out what the plan decides.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::Drained;
use super::health::{Health, HealthBoard};
use super::listener::Listener;
use super::plan::{Answer, Compose, Input, Plan, Setup, Step};
use super::poke::Pokes;
use super::serve::serve;
use crate::Store;
use crate::clock::Hold;
use crate::composer::Composer;
use crate::domain::{Record, RelayName};
use crate::observer::Observer;
use crate::transport::{Assignment, Report, Transport, Work};

/// How long the ledger is tried to be told after the time to drain is over.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// How long connections may take to close.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// How often a worker's health is written down.
const HEALTH_EVERY: Duration = Duration::from_millis(100);
/// How many reports are taken in before the plan is asked what follows from them.
const REPORTS_AT_ONCE: usize = 512;

/// What a driver works with.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) store: Store,
    pub(super) composers: BTreeMap<String, Arc<dyn Composer>>,
    pub(super) transports: BTreeMap<RelayName, Arc<dyn Transport>>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) pokes: Arc<Pokes>,
    pub(super) drain_timeout: Duration,
    pub(super) health: HealthBoard,
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Stopped,
    Idle,
}

/// A call under way.
type Pending<'a> = Pin<Box<dyn Future<Output = (Hold, Input)> + Send + 'a>>;

pub(super) struct Driver<'a> {
    tools: &'a Tools,
    plan: Plan,
    calls: FuturesUnordered<Pending<'a>>,
    reports: mpsc::UnboundedReceiver<(Hold, Report)>,
    report: mpsc::UnboundedSender<(Hold, Report)>,
    pokes: mpsc::UnboundedReceiver<Hold>,
    listener: Listener,
    connections: HashMap<u64, mpsc::Sender<Assignment>>,
    tasks: tokio::task::JoinSet<()>,
    health_at: Duration,
}

impl<'a> Driver<'a> {
    pub(super) fn new(tools: &'a Tools, setup: Setup) -> Self {
        let (report, reports) = mpsc::unbounded_channel();
        let clock = &tools.store.clock;
        Self {
            tools,
            plan: Plan::new(setup, clock.monotonic(), clock.now()),
            calls: FuturesUnordered::new(),
            reports,
            report,
            pokes: tools.pokes.subscribe(),
            listener: Listener::new(tools.store.news.clone()),
            connections: HashMap::new(),
            tasks: tokio::task::JoinSet::new(),
            health_at: Duration::ZERO,
        }
    }

    pub(super) async fn run(
        mut self,
        shutdown: impl Future<Output = ()> + Send,
        until: Until,
    ) -> Drained {
        let clock = Arc::clone(&self.tools.store.clock);
        let _alive = clock.hold();
        let mut shutdown = pin!(shutdown);
        let mut phase = Phase::Working;
        loop {
            let now = clock.monotonic();
            while let Some(step) = self.plan.next_step(now) {
                self.carry_out(step);
            }
            self.tell_observer();
            self.write_health(now);
            phase = match phase {
                Phase::Working if self.plan.must_stop() => self.stop(now),
                Phase::Working
                    if until == Until::Idle && self.calls.is_empty() && self.plan.is_idle(now) =>
                {
                    self.stop(now)
                }
                Phase::Draining { until } if until <= now => {
                    self.plan.abandon();
                    self.tasks.abort_all();
                    Phase::Leaving {
                        until: now + LEAVE_WITHIN,
                    }
                }
                // The store does not answer: what it was not told is found out by others.
                Phase::Leaving { until } if until <= now => return self.leave().await,
                Phase::Draining { .. } | Phase::Leaving { .. } if self.plan.is_stopped() => {
                    return self.leave().await;
                }
                unchanged => unchanged,
            };
            let is_working = phase == Phase::Working;
            let rests_until = self.listener.rests_until(now).filter(|_| is_working);
            let wake_at = self.plan.sleep_until(now).min(phase.ends_at());
            let pause = wake_at
                .min(rests_until.unwrap_or(Duration::MAX))
                .saturating_sub(now);
            tokio::select! {
                // What has happened comes before the end of a sleep.
                biased;
                Some((hold, report)) = self.reports.recv() => {
                    self.take_reports(clock.monotonic(), report);
                    drop(hold);
                }
                Some((hold, input)) = self.calls.next() => {
                    self.plan.take(clock.monotonic(), input);
                    drop(hold);
                }
                () = &mut shutdown, if is_working => phase = self.stop(clock.monotonic()),
                Some(hold) = self.pokes.recv() => {
                    self.plan.take(clock.monotonic(), Input::Poked);
                    drop(hold);
                }
                is_news = self.listener.heard(&*clock), if is_working && rests_until.is_none() => {
                    if is_news {
                        self.plan.take(clock.monotonic(), Input::Poked);
                    }
                }
                () = clock.sleep(pause) => {}
            }
        }
    }

    fn stop(&mut self, now: Duration) -> Phase {
        self.plan.stop(now);
        Phase::Draining {
            until: now.saturating_add(self.tools.drain_timeout),
        }
    }

    /// Lets connections say goodbye, for a moment.
    async fn leave(mut self) -> Drained {
        let clock = Arc::clone(&self.tools.store.clock);
        self.connections.clear();
        let mut enough = pin!(clock.sleep(GOODBYE_WITHIN));
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => if ended.is_none() { break },
                () = &mut enough => break,
            }
        }
        self.tasks.shutdown().await;
        self.plan.drained()
    }

    /// Takes in a report and what else has been reported meanwhile, so that one call serves it all.
    fn take_reports(&mut self, now: Duration, first: Report) {
        let mut next = Some((Hold::none(), first));
        let mut taken = 0;
        while let Some((_hold, report)) = next {
            if let Report::Closed { connection, .. } = &report {
                self.connections.remove(connection);
            }
            self.plan.take(now, Input::Report(report));
            taken += 1;
            next = (taken < REPORTS_AT_ONCE)
                .then(|| self.reports.try_recv().ok())
                .flatten();
        }
    }

    fn carry_out(&mut self, step: Step) {
        let store = &self.tools.store;
        let asked_at = store.clock.monotonic();
        match step {
            Step::Tick(tick) => self.call(async move {
                let result = store.queue.tick(&tick).await;
                Input::Ticked(Answer { asked_at, result })
            }),
            Step::Claim(request) => self.call(async move {
                let result = store.queue.claim(&request).await;
                Input::Claimed(Answer { asked_at, result })
            }),
            Step::Begin(batch) => self.call(async move {
                let result = store.gate.begin(&batch).await;
                Input::Began(Answer { asked_at, result })
            }),
            Step::Settle(verdicts) => self.call(async move {
                let result = store
                    .queue
                    .settle(&verdicts.settlements, &verdicts.defers)
                    .await;
                Input::Settled(Answer { asked_at, result })
            }),
            Step::Halt(halt) => self.call(async move {
                let result = store.queue.halt(&halt).await;
                Input::Halted(halt, result)
            }),
            Step::Fail(failing) => self.call(async move {
                let result = store.queue.defer(&failing.defer).await;
                Input::Failing(failing, result)
            }),
            Step::Compose(compose) => self.compose(compose),
            Step::Connect { relay, connection } => self.connect(&relay, connection),
            Step::Send(send) => {
                let assignment = Assignment {
                    hold: store.clock.hold(),
                    flight: send.flight,
                    send_by: send.send_by,
                    dot_by: send.dot_by,
                    email: send.email,
                };
                let sent = self
                    .connections
                    .get(&send.connection)
                    .is_some_and(|mails| mails.try_send(assignment).is_ok());
                if !sent {
                    // The connection ended before the mail reached it.
                    let report = Report::Finished {
                        flight: send.flight,
                        outcome: crate::domain::Outcome::NotStarted,
                    };
                    self.plan.take(asked_at, Input::Report(report));
                }
            }
            Step::Close { connection } => {
                self.connections.remove(&connection);
            }
        }
    }

    fn call(&self, call: impl Future<Output = Input> + Send + 'a) {
        let hold = self.tools.store.clock.hold();
        self.calls.push(Box::pin(async move { (hold, call.await) }));
    }

    fn compose(&self, compose: Compose) {
        let Some(composer) = self.tools.composers.get(&compose.letter.composer) else {
            return;
        };
        self.call(async move {
            let records: Vec<&Record> = compose.records.iter().collect();
            let result = composer.compose(&compose.letter, &records).await;
            Input::Composed {
                letter: compose.letter,
                flights: compose.flights,
                result,
            }
        });
    }

    fn connect(&mut self, relay: &RelayName, connection: u64) {
        let Some(transport) = self.tools.transports.get(relay).cloned() else {
            return;
        };
        let clock = Arc::clone(&self.tools.store.clock);
        let (sender, mails) = mpsc::channel(1);
        self.connections.insert(connection, sender);
        let report = self.report.clone();
        let hold = clock.hold();
        let mut work = Work::new(connection, hold, Arc::clone(&clock), mails, report.clone());
        self.tasks.spawn(async move {
            let end = serve(&*transport, &mut work).await;
            // A worker that is gone does not need to know.
            let _gone = report.send((clock.hold(), Report::Closed { connection, end }));
            drop(work);
        });
        while self.tasks.try_join_next().is_some() {}
    }

    /// A few times a second: it costs more than a mail does.
    fn write_health(&mut self, now: Duration) {
        if now >= self.health_at {
            self.health_at = now + HEALTH_EVERY;
            let warnings = self.tools.store.warnings.iter();
            self.tools.health.write(Health {
                store_warnings: warnings.chain(self.listener.complaint()).cloned().collect(),
                ..self.plan.health()
            });
        }
    }

    fn tell_observer(&mut self) {
        let now = self.tools.store.clock.now();
        for event in self.plan.events() {
            if let Some(observer) = &self.tools.observer {
                observer.on(now, &event);
            }
        }
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.tools.health.write(Health::default());
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Working,
    /// What is in flight is waited for.
    Draining {
        until: Duration,
    },
    /// The ledger is told the rest.
    Leaving {
        until: Duration,
    },
}

impl Phase {
    const fn ends_at(self) -> Duration {
        match self {
            Self::Working => Duration::MAX,
            Self::Draining { until } | Self::Leaving { until } => until,
        }
    }
}
