//! How long each script holds Redis up while much is waiting.
//!
//! `cargo run --release -p benches --bin scripts -- [CAMPAIGNS] [RECIPIENTS EACH] [LEASES] [BATCH]`
//!
//! Starts a redis-server of its own with so many campaigns, leases pages of them, and calls the store's verbs one after the
//! other. The times are the server's own.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::Duration;

use benches::{Failure, RedisUsage, asking, campaign, recipients, spread};
use mailer_core::Mailer;
use mailer_core::domain::{CampaignId, Policy};
use mailer_core::gate::{BeginBatch, Gate as _};
use mailer_core::queue::{Claim, DeferQueue as _};
use mailer_redis::RedisStore;
use testkit::RedisServer;

/// How often each verb is called.
const TIMES: u64 = 100;
/// How long campaigns are deferred.
const SHORTLY: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let campaigns = words.next().transpose()?.unwrap_or(10_000).max(2 * TIMES);
    let each = words.next().transpose()?.unwrap_or(256);
    let leases = words.next().transpose()?.unwrap_or(campaigns);
    let batch = usize::try_from(words.next().transpose()?.unwrap_or(50))?;
    let bench = Bench::load(campaigns, each).await?;
    println!("{campaigns} campaigns of {each} recipients, {leases} leases; microseconds");
    println!("{:>39} {:>8} {:>8} {:>8}", "calls", "median", "p99", "most");
    let mut claims = Vec::new();
    bench
        .time("claim, no leases", TIMES, async |number| {
            asking::claim(&bench.store, 1, number).await.map(drop)
        })
        .await?;
    for number in TIMES..leases {
        asking::claim(&bench.store, 2, number).await?;
    }
    bench
        .time("claim", TIMES, async |number| {
            claims.push(asking::claim(&bench.store, 3, number).await?);
            Ok(())
        })
        .await?;
    bench.work(&claims, batch).await?;
    bench.steer(&claims[..8]).await
}

struct Bench {
    server: RedisServer,
    store: RedisStore,
    mailer: Mailer,
}

impl Bench {
    async fn load(campaigns: u64, each: u64) -> Result<Self, Failure> {
        let server = RedisServer::builder().start().await?;
        let store = RedisStore::connect(server.url(), "bench").await?;
        let mailer = Mailer::open(store.clone()).await?;
        mailer.set_policy(&policy(0)?, None).await?;
        for number in 0..campaigns {
            let campaign = campaign(id(number)?.as_str());
            mailer.submit(&campaign, recipients(each)).await?;
        }
        Ok(Self {
            server,
            store,
            mailer,
        })
    }

    /// What workers do; `begin` and `settle` for so many deliveries at a time.
    async fn work(&self, claims: &[Claim], size: usize) -> Result<(), Failure> {
        let (narrow, wide) = claims.split_at(claims.len() - size);
        let narrow = narrow.iter().map(|claim| {
            let claim = std::slice::from_ref(claim);
            asking::items(claim, 0..size, 1)
        });
        let wide = (0..size).map(|i| asking::items(wide, i..i + 1, i + 1));
        let stored = self.mailer.policy().await?.ok_or("there is no policy")?;
        for (what, batches) in [
            ("of one page", narrow.collect::<Vec<_>>()),
            ("of as many pages", wide.collect()),
        ] {
            let mut batch = batches.iter();
            self.time(
                &format!("begin {size} {what}"),
                batches.len() as u64,
                async |_| {
                    let begin = BeginBatch {
                        policy_version: stored.version,
                        items: batch.next().cloned().unwrap_or_default(),
                    };
                    Ok(self.store.begin(&begin).await.map(drop)?)
                },
            )
            .await?;
            let mut batch = batches.iter();
            self.time(
                &format!("settle {size} {what}"),
                batches.len() as u64,
                async |_| {
                    let settlements = asking::settlements(batch.next().map_or(&[], Vec::as_slice));
                    Ok(self.store.settle(&settlements, &[]).await.map(drop)?)
                },
            )
            .await?;
        }
        let tick = asking::tick(&claims[..8])?;
        self.time("tick with 8 claims", TIMES, async |_| {
            Ok(self.store.tick(&tick).await.map(drop)?)
        })
        .await
    }

    /// What hosts do, and what follows from it.
    async fn steer(&self, claims: &[Claim]) -> Result<(), Failure> {
        let (mailer, tick) = (&self.mailer, asking::tick(claims)?);
        self.time("set_policy", TIMES, async |number| {
            let policy = policy(number + 1)?;
            Ok(mailer.set_policy(&policy, None).await.map(drop)?)
        })
        .await?;
        self.time("defer a campaign", TIMES, async |number| {
            Ok(mailer
                .defer(&asking::defer(id(number)?.as_str(), SHORTLY))
                .await?)
        })
        .await?;
        tokio::time::sleep(SHORTLY).await;
        self.time("tick that wakes campaigns", 5, async |_| {
            Ok(self.store.tick(&tick).await.map(drop)?)
        })
        .await?;
        self.time("pause", TIMES, async |number| {
            Ok(mailer.pause(&id(number)?, "bench", "").await?)
        })
        .await?;
        self.time("resume", TIMES, async |number| {
            Ok(mailer.resume(&id(number)?).await?)
        })
        .await?;
        self.time("status", TIMES, async |number| {
            Ok(mailer.status(&id(number)?).await.map(drop)?)
        })
        .await?;
        self.time("list, all its calls", 1, async |_| {
            Ok(mailer.list().await.map(drop)?)
        })
        .await?;
        self.time("outcomes", TIMES, async |number| {
            Ok(mailer.outcomes(&id(number)?, 0).await.map(drop)?)
        })
        .await?;
        self.time("submit 128, three calls", TIMES, async |number| {
            let campaign = campaign(&format!("more{number}"));
            Ok(mailer.submit(&campaign, recipients(128)).await.map(drop)?)
        })
        .await
    }

    /// Calls so many times, and shows how long the scripts of each call took.
    async fn time(
        &self,
        what: &str,
        times: u64,
        mut call: impl AsyncFnMut(u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut took = Vec::new();
        let first = RedisUsage::of(&self.server).await?;
        let mut before = first;
        for number in 0..times {
            call(number).await?;
            let after = RedisUsage::of(&self.server).await?;
            took.push((after.script_time - before.script_time).as_micros());
            before = after;
        }
        let [median, p99, most] = spread(took);
        let calls = before.scripts - first.scripts;
        println!("{what:>32} {calls:>6} {median:>8} {p99:>8} {most:>8}");
        Ok(())
    }
}

fn policy(number: u64) -> Result<Policy, Failure> {
    let hour = format!("{}/hour", 4_000_000_000 + number);
    Ok(Policy::new()
        .limit(&hour)?
        .limit("4000000000/day@Europe/Moscow")?)
}

fn id(number: u64) -> Result<CampaignId, Failure> {
    Ok(format!("campaign{number:05}").parse()?)
}
