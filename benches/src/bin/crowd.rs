//! Many campaigns that closing time defers and opening time wakes, over Redis.
//!
//! `cargo run --release -p benches --bin crowd -- [CAMPAIGNS] [RECIPIENTS EACH]`
//!
//! Starts a redis-server of its own and one worker, under a clock that is driven by the program. Shows what the deferral
//! changes in Redis, and how many mails have begun when the last campaign begins: one round of the fair order gives each
//! campaign a page at most.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use benches::{
    Counts, Failure, NullRelay, RedisUsage, Watched, campaign, recipients, script_times, spread,
};
use chrono::{DateTime, Utc};
use mailer_core::clock::{Clock as _, VirtualClock};
use mailer_core::domain::{PAGE_SIZE, Policy};
use mailer_core::observer::{Event, Observer};
use mailer_core::queue::StreamId;
use mailer_core::{Mailer, Store, Worker};
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let campaigns = words.next().transpose()?.unwrap_or(10_000);
    let each = words.next().transpose()?.unwrap_or(10);
    // Only what takes longer than a millisecond.
    let flags = [
        "--slowlog-log-slower-than",
        "1000",
        "--slowlog-max-len",
        "100000",
    ];
    let server = RedisServer::builder().flags(flags).start().await?;
    let clock = VirtualClock::at("2026-11-24T17:00:00Z".parse()?);
    let config = RedisConfig::new(server.url(), "bench").clock(Arc::new(clock.clone()));
    let store = Watched::new(RedisStore::open(&config).await?);
    let mailer = Mailer::open(Store::new(store.clone(), Arc::new(clock.clone()))).await?;
    let policy = Policy::unlimited().hours("Mon-Fri 09:00-18:00", "UTC")?;
    mailer.set_policy(&policy, None).await?;
    let day = Day {
        server,
        store,
        clock,
    };

    let mut since = day.begin().await?;
    for number in 0..campaigns {
        mailer
            .submit(&campaign(&format!("campaign{number:05}")), recipients(each))
            .await?;
    }
    println!("{campaigns} campaigns of {each} recipients");
    day.show("submitted at 17:00", &mut since).await?;

    day.clock.advance_to("2026-11-24T18:00:00Z".parse()?).await;
    let round = Round::default();
    let worker = Worker::builder(&mailer)
        .relay("default", NullRelay::new(50))
        .observer(round.clone())
        .build()?;
    let hold = day.clock.hold();
    let working = tokio::spawn(async move {
        // The worker has its own from its first step on, which is this one.
        drop(hold);
        let _drained = worker.run(std::future::pending()).await;
    });
    day.clock.rest().await;
    day.show("deferred at 18:00", &mut since).await?;
    day.clock.advance_to("2026-11-25T08:59:59Z".parse()?).await;
    day.show("the night, 15 hours of ticks", &mut since).await?;
    day.clock.advance_to("2026-11-25T09:00:10Z".parse()?).await;
    day.show("woken at 9:00, and sent", &mut since).await?;
    working.abort();

    let (streams, begun) = round.last_newcomer();
    println!(
        "{streams} campaigns have begun after {begun} mails; a round is {}",
        campaigns * each.min(PAGE_SIZE as u64)
    );
    Ok(())
}

struct Day {
    server: RedisServer,
    store: Watched<RedisStore>,
    clock: VirtualClock,
}

/// When a part of the day began, and what Redis had used by then.
struct Since {
    started: Instant,
    usage: RedisUsage,
}

impl Day {
    async fn begin(&self) -> Result<Since, Failure> {
        script_times(&self.server).await?;
        let _counts: Counts = self.store.take();
        Ok(Since {
            started: Instant::now(),
            usage: RedisUsage::of(&self.server).await?,
        })
    }

    /// Shows what a part of the day took, and begins the next.
    async fn show(&self, what: &str, since: &mut Since) -> Result<(), Failure> {
        let took = since.started.elapsed();
        let usage = RedisUsage::of(&self.server).await?;
        let slow = script_times(&self.server).await?;
        let over = slow.iter().filter(|time| **time > 2_000).count();
        println!("{what}: {:.2} s", took.as_secs_f64());
        println!("    calls {:?}", self.store.take().calls);
        println!(
            "    changes of keys {}, keys {} then {}, server {:.2} s",
            usage.changes.saturating_sub(since.usage.changes),
            since.usage.keys,
            usage.keys,
            usage.processor_since(&since.usage).as_secs_f64()
        );
        println!(
            "    scripts over 1 ms {}, over 2 ms {over}, the longest {} us",
            slow.len(),
            spread(slow)[2]
        );
        *since = self.begin().await?;
        Ok(())
    }
}

/// Which campaigns have begun, in what order.
#[derive(Debug, Default, Clone)]
struct Round(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    streams: HashSet<StreamId>,
    begun: u64,
    /// How many mails had begun when the last new campaign began.
    newcomer_at: u64,
}

impl Round {
    fn last_newcomer(&self) -> (usize, u64) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.streams.len(), seen.newcomer_at)
    }
}

impl Observer for Round {
    fn on(&self, _now: DateTime<Utc>, event: &Event) {
        if let Event::Begun { stream, .. } = event {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.begun += 1;
            if seen.streams.insert(stream.clone()) {
                seen.newcomer_at = seen.begun;
            }
        }
    }
}
