//! How often the gate is asked in vain while limits hold.
//!
//! `cargo run --release -p benches --bin limited`
//!
//! Works off campaigns under several limits, with one worker and with three, over memory and over Redis, under a clock that
//! is driven by the program: hours pass in seconds.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use benches::{Failure, NullRelay, Watched, campaign, recipients};
use mailer_core::clock::{Clock as _, VirtualClock};
use mailer_core::domain::Policy;
use mailer_core::gate::Gate;
use mailer_core::limiter::RateLimiter;
use mailer_core::memory::MemoryStore;
use mailer_core::policy_store::PolicyStore;
use mailer_core::queue::{DeferQueue, Intake, Ledger};
use mailer_core::{Mailer, Store, Worker};
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;

/// Campaigns, mails of each, limit.
const SCENES: [(u64, u64, &str); 7] = [
    (1, 1_000, "100/hour"),
    (50, 20, "100/hour"),
    (50, 20, "10/hour per campaign"),
    (1, 300, "300/60m rolling"),
    (1, 1_000, "14/s pace"),
    (50, 20, "14/s pace"),
    (50, 20, "10/minute pace"),
];
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    println!(
        "{:>7} {:>8} {:>10} {:>6} {:>22} {:>16} {:>14} {:>14}",
        "store",
        "workers",
        "campaigns",
        "mails",
        "limit",
        "refused a mail",
        "in vain a mail",
        "calls a mail"
    );
    for workers in [1, 3] {
        for scene in SCENES {
            let clock = new_clock();
            let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
            run("memory", memory, &clock, workers, scene).await?;
        }
        for (number, scene) in SCENES.into_iter().enumerate() {
            let server = RedisServer::builder().start().await?;
            let clock = new_clock();
            let config = RedisConfig::new(server.url(), format!("bench{number}"))
                .clock(Arc::new(clock.clone()));
            let redis = RedisStore::open(&config).await?;
            run("redis", redis, &clock, workers, scene).await?;
        }
    }
    println!(
        "refused: deliveries that were asked for and did not begin; in vain: calls by which none began"
    );
    Ok(())
}

fn new_clock() -> VirtualClock {
    VirtualClock::at("2026-11-24T09:00:00Z".parse().unwrap_or_default())
}

async fn run<T>(
    name: &str,
    store: T,
    clock: &VirtualClock,
    workers: usize,
    (campaigns, each, limit): (u64, u64, &str),
) -> Result<(), Failure>
where
    T: Intake + DeferQueue + Ledger + PolicyStore + RateLimiter + Gate + Clone + 'static,
{
    let store = Watched::new(store);
    let mailer = Mailer::open(Store::new(store.clone(), Arc::new(clock.clone()))).await?;
    mailer
        .set_policy(&Policy::new().limit(limit)?, None)
        .await?;
    for number in 0..campaigns {
        mailer
            .submit(&campaign(&format!("campaign{number}")), recipients(each))
            .await?;
    }
    let _loaded = store.take();
    let sent = Arc::new(AtomicU64::new(0));
    let tasks = (0..workers)
        .map(|_| start_worker(&mailer, clock, &sent))
        .collect::<Result<Vec<_>, _>>()?;
    let mails = campaigns * each;
    while sent.load(Ordering::Relaxed) < mails {
        if !clock.step(LONGEST).await {
            return Err(format!("{limit}: not all is sent after 30 days").into());
        }
    }
    let counts = store.take();
    for task in tasks {
        task.abort();
    }
    let per_mail = |count: u64| count as f64 / mails as f64;
    println!(
        "{name:>7} {workers:>8} {campaigns:>10} {mails:>6} {limit:>22} {:>16.3} {:>14.3} {:>14.3}",
        per_mail(counts.refused),
        per_mail(counts.in_vain),
        per_mail(counts.calls.values().sum())
    );
    Ok(())
}

fn start_worker(
    mailer: &Mailer,
    clock: &VirtualClock,
    sent: &Arc<AtomicU64>,
) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let sent = Arc::clone(sent);
    let relay = NullRelay::new(50).on_mail(move |_| {
        sent.fetch_add(1, Ordering::Relaxed);
    });
    // Ticks without news cost nothing that is measured here, but a week of them would take long.
    let worker = Worker::builder(mailer)
        .relay("default", relay)
        .idle_tick(Duration::from_secs(30))
        .build()?;
    let hold = clock.hold();
    Ok(tokio::spawn(async move {
        // The worker has its own from its first step on, which is this one.
        drop(hold);
        let _drained = worker.run(std::future::pending()).await;
    }))
}
