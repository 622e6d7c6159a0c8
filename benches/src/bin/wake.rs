//! How long it takes from the instant at which a limit has a token again until a mail is on the wire.
//!
//! `cargo run --release -p benches --bin wake -- [TIMES]`
//!
//! For the memory store and for Redis, with one worker: a limit's window turns; the limit is raised through the worker's own
//! mailer; it is raised by another process. Of that a worker over memory learns by its tick, and one over Redis by news.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use benches::{Failure, NullRelay, campaign, recipients, spread};
use chrono::{DateTime, Utc};
use mailer_core::domain::{Deferral, Policy};
use mailer_core::memory::MemoryStore;
use mailer_core::observer::{Event, Observer};
use mailer_core::{Mailer, Worker};
use mailer_redis::RedisStore;
use testkit::RedisServer;
use tokio::sync::mpsc;

/// Each has its own window, so that many waits are under way at the same time.
const SENDERS: u64 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let times: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(200), |word| word.parse())?;
    println!("milliseconds from the free token to the mail");
    println!(
        "{:>8} {:>36} {:>6} {:>8} {:>8} {:>8}",
        "store", "", "times", "median", "p99", "most"
    );

    let memory = MemoryStore::new();
    let mailer = Mailer::open(memory.clone()).await?;
    show(
        "memory",
        "the window turns",
        window_turns(&mailer, times).await?,
    );
    let raised = limit_raised(&mailer, &mailer, "own", times).await?;
    show("memory", "raised through the same mailer", raised);
    let other = Mailer::open(memory).await?;
    let raised = limit_raised(&mailer, &other, "other", times).await?;
    show("memory", "raised by another", raised);

    let server = RedisServer::builder().start().await?;
    let mailer = Mailer::open(RedisStore::connect(server.url(), "bench").await?).await?;
    show(
        "redis",
        "the window turns",
        window_turns(&mailer, times).await?,
    );
    let raised = limit_raised(&mailer, &mailer, "own", times).await?;
    show("redis", "raised through the same mailer", raised);
    let other = Mailer::open(RedisStore::connect(server.url(), "bench").await?).await?;
    let raised = limit_raised(&mailer, &other, "other", times).await?;
    show("redis", "raised by another process", raised);
    Ok(())
}

/// Every sender may send once in two seconds: it is deferred after each mail, and the deferral says until when.
async fn window_turns(mailer: &Mailer, times: u64) -> Result<Vec<Duration>, Failure> {
    let policy = Policy::new().limit("1/2s rolling per sender")?;
    mailer.set_policy(&policy, None).await?;
    let waits = Waits::default();
    let (tell, mut told) = mpsc::unbounded_channel();
    let ends = waits.clone();
    let relay = NullRelay::new(SENDERS as usize).on_mail(move |email| {
        if let Some(end) = ends.ended(email.from.address().as_str()) {
            // Who has all that it wants is gone.
            let _ = tell.send((Utc::now() - end).to_std().unwrap_or_default());
        }
    });
    let worker = Worker::builder(mailer)
        .relay("default", relay)
        .observer(waits)
        .build()?;
    let measure = async {
        let mut late = Vec::new();
        for sender in 0..SENDERS {
            let campaign =
                campaign(&format!("turn{sender}")).from(format!("turn{sender}@shop.example"));
            mailer
                .submit(&campaign, recipients(times / SENDERS + 1))
                .await?;
            // One after the other, so that they do not wake together.
            tokio::time::sleep(Duration::from_millis(2_600 / SENDERS)).await;
        }
        while late.len() < (times / SENDERS * SENDERS) as usize {
            late.extend(told.recv().await);
        }
        Ok(late)
    };
    beside(&worker, measure).await
}

/// A limit without a free token is raised by one, again and again.
async fn limit_raised(
    mailer: &Mailer,
    by: &Mailer,
    name: &str,
    times: u64,
) -> Result<Vec<Duration>, Failure> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let relay = NullRelay::new(1).on_mail(move |_| {
        let _ = tell.send(Instant::now());
    });
    let worker = Worker::builder(mailer).relay("default", relay).build()?;
    let sent = |cap: u64| Policy::new().limit(&format!("{cap}/day per campaign"));
    by.set_policy(&sent(0)?, None).await?;
    mailer.submit(&campaign(name), recipients(times)).await?;
    let measure = async {
        let mut late = Vec::new();
        for round in 0..times {
            // At any time between two ticks.
            let pause = Duration::from_millis(50 + round * 137 % 500);
            tokio::time::sleep(pause).await;
            let policy = sent(round + 1)?;
            let raised = Instant::now();
            by.set_policy(&policy, None).await?;
            let sent = told.recv().await.ok_or("the worker is gone")?;
            late.push(sent.duration_since(raised));
        }
        Ok(late)
    };
    beside(&worker, measure).await
}

/// Measures while a worker works.
async fn beside<T>(
    worker: &Worker,
    measure: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = worker.run(async { drop(stopped.await) });
    let measuring = async {
        let measured = measure.await;
        drop(stop);
        measured
    };
    let (_drained, measured) = futures_util::future::join(working, measuring).await;
    measured
}

/// The waits of senders.
#[derive(Debug, Default, Clone)]
struct Waits(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// By scope: until when it waits.
    until: HashMap<String, DateTime<Utc>>,
    /// The same of a wait that is over, for the mail that is about to be sent: the next wait may be known already.
    ended: HashMap<String, DateTime<Utc>>,
}

impl Waits {
    /// When the wait of this sender ended that its mail has had.
    fn ended(&self, sender: &str) -> Option<DateTime<Utc>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.ended.remove(&format!("sender:{sender}"))
    }
}

impl Observer for Waits {
    fn on(&self, _now: DateTime<Utc>, event: &Event) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Deferred(Deferral {
                scope,
                until: Some(until),
                ..
            }) => {
                known.until.insert(scope.to_string(), *until);
            }
            Event::Begun { stream, .. } => {
                let scope = format!("sender:{stream}@shop.example");
                if let Some(until) = known.until.remove(&scope) {
                    known.ended.insert(scope, until);
                }
            }
            _ => {}
        }
    }
}

fn show(store: &str, what: &str, late: Vec<Duration>) {
    let times = late.len();
    let [median, p99, most] = spread(late).map(|time| time.as_secs_f64() * 1e3);
    println!("{store:>8} {what:>36} {times:>6} {median:>8.1} {p99:>8.1} {most:>8.1}");
}
