//! Carries out what the plan decides.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::Drained;
use super::health::{Health, HealthBoard};
use super::plan::{Answer, Compose, Input, Plan, Setup, Step};
use super::poke::Pokes;
use crate::Store;
use crate::clock::Hold;
use crate::composer::Composer;
use crate::domain::{Record, RelayName};
use crate::observer::Observer;
use crate::transport::{Assignment, Report, Transport, Work};

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
        let mut stop_by: Option<Duration> = None;
        loop {
            let now = clock.monotonic();
            while let Some(step) = self.plan.next_step(now) {
                self.carry_out(step);
            }
            self.tell_observer();
            if let Some(stopped) = self.plan.stopped() {
                self.tasks.shutdown().await;
                return Drained {
                    finished: stopped.finished,
                    released: stopped.released,
                    in_doubt: stopped.in_doubt,
                };
            }
            if until == Until::Idle
                && stop_by.is_none()
                && self.calls.is_empty()
                && self.plan.is_idle(now)
            {
                self.plan.stop(now);
                stop_by = Some(now + self.tools.drain_timeout);
                continue;
            }
            self.write_health(now);
            let wake_at = self
                .plan
                .sleep_until(now)
                .min(stop_by.unwrap_or(Duration::MAX));
            let is_stopping = stop_by.is_some();
            let event = self
                .next_event(wake_at.saturating_sub(now), is_stopping, shutdown.as_mut())
                .await;
            let now = clock.monotonic();
            match event {
                Happened::Input(hold, input) => {
                    self.plan.take(now, input);
                    self.take_reports(now);
                    drop(hold);
                }
                Happened::Woken => {}
                Happened::Stop => {
                    self.plan.stop(now);
                    stop_by = Some(now + self.tools.drain_timeout);
                }
            }
            if stop_by.is_some_and(|by| by <= now) {
                self.plan.abandon();
                self.tasks.abort_all();
                stop_by = Some(Duration::MAX);
            }
        }
    }

    async fn next_event(
        &mut self,
        pause: Duration,
        is_stopping: bool,
        shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Happened {
        let clock = &self.tools.store.clock;
        let report = pin!(self.reports.recv());
        let calls = &mut self.calls;
        let call = pin!(async move {
            match calls.next().await {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        });
        let input = select(report, call);
        let poked = pin!(self.pokes.recv());
        let asleep = pin!(clock.sleep(pause));
        let stop = pin!(async move {
            if is_stopping {
                std::future::pending::<()>().await;
            }
            shutdown.await;
        });
        // In this order: what has happened comes before the end of a sleep.
        match select(input, select(stop, select(poked, asleep))).await {
            Either::Left((Either::Left((Some((hold, report)), _)), _)) => {
                Happened::Input(hold, Input::Report(report))
            }
            Either::Left((Either::Left((None, _)), _)) => Happened::Woken,
            Either::Left((Either::Right(((hold, input), _)), _)) => Happened::Input(hold, input),
            Either::Right((Either::Left(_), _)) => Happened::Stop,
            Either::Right((Either::Right((Either::Left((hold, _)), _)), _)) => {
                Happened::Input(hold.unwrap_or_default(), Input::Poked)
            }
            Either::Right((Either::Right((Either::Right(_), _)), _)) => Happened::Woken,
        }
    }

    /// Takes in what else has been reported meanwhile, so that one call serves it all.
    fn take_reports(&mut self, now: Duration) {
        for _ in 0..REPORTS_AT_ONCE {
            let Ok((_hold, report)) = self.reports.try_recv() else {
                break;
            };
            if let Report::Closed { connection, .. } = &report {
                self.connections.remove(connection);
            }
            self.plan.take(now, Input::Report(report));
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
            let error = match transport.connect().await {
                Ok(mut session) => {
                    session.serve(&mut work).await;
                    None
                }
                Err(error) => Some(error),
            };
            // A worker that is gone does not need to know.
            let _gone = report.send((clock.hold(), Report::Closed { connection, error }));
            drop(work);
        });
        while self.tasks.try_join_next().is_some() {}
    }

    /// A few times a second: it costs more than a mail does.
    fn write_health(&mut self, now: Duration) {
        if now >= self.health_at {
            self.health_at = now + HEALTH_EVERY;
            self.tools.health.write(self.plan.health());
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

enum Happened {
    Input(Hold, Input),
    Woken,
    Stop,
}
