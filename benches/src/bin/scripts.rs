//! How long each script holds Redis up while much is waiting.
//!
//! `cargo run --release -p benches --bin scripts -- [CAMPAIGNS] [RECIPIENTS EACH] [LEASES]`
//!
//! Starts a redis-server of its own with so many campaigns, leases pages of them, and calls the store's verbs one after the
//! other. The times are the server's own, from its slow log.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use benches::{Failure, campaign, recipients, script_times, spread};
use mailer_core::Mailer;
use mailer_core::domain::{CampaignId, ClaimId, Lanes, Policy, Reason, Scope, WorkerId};
use mailer_core::gate::{BeginBatch, BeginItem, Gate as _};
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Defer, DeferQueue as _, Room, Settled, Settlement, Tick, Wait,
};
use mailer_core::template::Template;
use mailer_redis::RedisStore;
use testkit::RedisServer;

/// How often each verb is called.
const TIMES: u64 = 100;
/// How many deliveries a call of `begin` and `settle` has.
const BATCH: usize = 50;
/// How long campaigns are deferred.
const SHORTLY: Duration = Duration::from_millis(200);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let campaigns = words.next().transpose()?.unwrap_or(10_000).max(2 * TIMES);
    let each = words.next().transpose()?.unwrap_or(256);
    let leases = words.next().transpose()?.unwrap_or(campaigns);
    let bench = Bench::load(campaigns, each).await?;
    println!("{campaigns} campaigns of {each} recipients, {leases} leases; microseconds");
    println!(
        "{:>32} {:>6} {:>8} {:>8} {:>8}",
        "", "calls", "median", "p99", "most"
    );
    bench.claim_pages(1, TIMES).await?;
    bench.show("claim, no leases").await?;
    bench.claim_pages(2, leases.saturating_sub(TIMES)).await?;
    script_times(&bench.server).await?;
    let claims = bench.claim_pages(3, TIMES).await?;
    bench.show("claim").await?;
    bench.work(&claims).await?;
    bench.steer(&claims).await?;
    Ok(())
}

struct Bench {
    server: RedisServer,
    store: RedisStore,
    mailer: Mailer,
}

impl Bench {
    async fn load(campaigns: u64, each: u64) -> Result<Self, Failure> {
        let flags = ["--slowlog-log-slower-than", "0", "--slowlog-max-len", "256"];
        let server = RedisServer::builder().flags(flags).start().await?;
        let store = RedisStore::connect(server.url(), "bench").await?;
        let mailer = Mailer::open(store.clone()).await?;
        mailer.set_policy(&policy(0)?, None).await?;
        for number in 0..campaigns {
            mailer
                .submit(&campaign(&name(number)), recipients(each))
                .await?;
        }
        script_times(&server).await?;
        Ok(Self {
            server,
            store,
            mailer,
        })
    }

    /// What workers do.
    async fn work(&self, claims: &[Claim]) -> Result<(), Failure> {
        let (narrow, wide) = claims.split_at(claims.len() - BATCH);
        let narrow = narrow.iter().map(|claim| items(&[claim], 0..BATCH, 1));
        let wide_claims: Vec<&Claim> = wide.iter().collect();
        let wide = (0..BATCH).map(|i| items(&wide_claims, i..i + 1, i + 1));
        let policy_version = self.version().await?;
        for (what, batches) in [
            ("of one page", narrow.collect::<Vec<_>>()),
            ("of as many pages", wide.collect()),
        ] {
            for items in &batches {
                let items = items.clone();
                let batch = BeginBatch {
                    policy_version,
                    items,
                };
                self.store.begin(&batch).await?;
            }
            self.show(&format!("begin {BATCH} {what}")).await?;
            for items in &batches {
                self.store.settle(&settlements(items), &[]).await?;
            }
            self.show(&format!("settle {BATCH} {what}")).await?;
        }
        for _ in 0..TIMES {
            self.store.tick(&tick(&claims[..8])?).await?;
        }
        self.show("tick with 8 claims").await
    }

    /// What hosts do, and what follows from it.
    async fn steer(&self, claims: &[Claim]) -> Result<(), Failure> {
        for number in 0..TIMES {
            self.mailer.set_policy(&policy(number + 1)?, None).await?;
        }
        self.show("set_policy").await?;
        self.store.tick(&tick(&claims[..8])?).await?;
        self.show("tick after it").await?;
        for number in 0..TIMES {
            self.store.defer(&defer(number)).await?;
        }
        self.show("defer a campaign").await?;
        tokio::time::sleep(2 * SHORTLY).await;
        self.store.tick(&tick(&claims[..8])?).await?;
        self.show("tick that wakes up to 100").await?;
        for number in 0..TIMES {
            self.mailer.pause(&id(number)?, "bench", "").await?;
        }
        self.show("pause").await?;
        for number in 0..TIMES {
            self.mailer.resume(&id(number)?).await?;
        }
        self.show("resume").await?;
        for number in 0..TIMES {
            self.mailer.status(&id(number)?).await?;
        }
        self.show("status").await?;
        self.mailer.list().await?;
        self.show("list").await?;
        for number in 0..TIMES {
            self.mailer.outcomes(&id(number)?, 0).await?;
        }
        self.show("outcomes").await?;
        for number in 0..10 {
            self.mailer
                .submit(&campaign(&format!("more{number}")), recipients(1_280))
                .await?;
        }
        self.show("create, 10 times append, seal").await
    }

    /// Leases so many pages for one worker.
    async fn claim_pages(&self, worker: u64, count: u64) -> Result<Vec<Claim>, Failure> {
        let worker = WorkerId(worker);
        let mut claims = Vec::new();
        for number in 0..count {
            let id = ClaimId { worker, number };
            match self
                .store
                .claim(&ClaimRequest { id, room: room()? })
                .await?
            {
                ClaimReply::Claimed(claim) => claims.push(claim),
                ClaimReply::Nothing { .. } => return Err("there is nothing left to claim".into()),
            }
        }
        Ok(claims)
    }

    async fn version(&self) -> Result<u64, Failure> {
        let stored = self.mailer.policy().await?.ok_or("there is no policy")?;
        script_times(&self.server).await?;
        Ok(stored.version)
    }

    async fn show(&self, what: &str) -> Result<(), Failure> {
        let times = script_times(&self.server).await?;
        let calls = times.len();
        let [median, p99, most] = spread(times);
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

fn name(number: u64) -> String {
    format!("campaign{number:05}")
}

fn id(number: u64) -> Result<CampaignId, Failure> {
    Ok(name(number).parse()?)
}

fn defer(number: u64) -> Defer {
    Defer {
        scope: Scope::Campaign(name(number)),
        lane: None,
        reason: Reason::TransientError,
        wait: Wait::For(SHORTLY),
        detail: None,
        unless_sent_since: None,
        policy_version: None,
    }
}

fn tick(claims: &[Claim]) -> Result<Tick, Failure> {
    let room = room()?;
    Ok(Tick {
        worker: WorkerId(3),
        relays: room.relays.keys().cloned().collect(),
        composers: room.composers.clone(),
        room,
        claims: claims.iter().map(|claim| claim.id).collect(),
        next_within: Duration::from_millis(500),
        present: true,
    })
}

fn room() -> Result<Room, Failure> {
    Ok(Room {
        relays: BTreeMap::from([("default".parse()?, Lanes::ALL)]),
        composers: vec![Template::COMPOSER.to_owned()],
        except: Vec::new(),
    })
}

/// These deliveries of each of the claims, as the `call`th call of each.
fn items(claims: &[&Claim], which: Range<usize>, call: usize) -> Vec<BeginItem> {
    let of_claim = |claim: &Claim| {
        let deliveries = claim.deliveries.get(which.clone()).unwrap_or_default();
        let item = |index: u16| BeginItem {
            claim: claim.id,
            index,
            call: u32::try_from(call).unwrap_or(u32::MAX),
            binding: claim.binding.clone(),
        };
        deliveries
            .iter()
            .map(|delivery| item(delivery.index))
            .collect::<Vec<_>>()
    };
    claims.iter().flat_map(|claim| of_claim(claim)).collect()
}

fn settlements(items: &[BeginItem]) -> Vec<Settlement> {
    let sent = |item: &BeginItem| Settlement {
        claim: item.claim,
        index: item.index,
        settled: Settled::Sent,
        detail: "250 2.0.0 Ok".to_owned(),
    };
    items.iter().map(sent).collect()
}
