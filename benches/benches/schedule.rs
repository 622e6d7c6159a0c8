//! Steps of the schedule: the gate's decision for a batch, a forecast, a simulated week.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::{campaign, recipients};
use chrono::{DateTime, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use mailer_core::Mailer;
use mailer_core::clock::VirtualClock;
use mailer_core::domain::{ClaimId, Lanes, Policy, WorkerId};
use mailer_core::gate::{BeginBatch, BeginItem, Gate as _};
use mailer_core::memory::MemoryStore;
use mailer_core::queue::{ClaimReply, ClaimRequest, DeferQueue as _, Room};
use mailer_core::sim::Sim;
use mailer_core::template::Template;

const BATCH: usize = 8;

fn now() -> DateTime<Utc> {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

/// A store whose pages are claimed one after the other.
struct Claims {
    store: MemoryStore,
    next: u64,
}

impl Claims {
    fn new(policy: &Policy) -> Self {
        let store = MemoryStore::with_clock(Arc::new(VirtualClock::at(now())));
        let mailer = Mailer::open(store.clone()).now_or_never().unwrap().unwrap();
        mailer
            .set_policy(policy, None)
            .now_or_never()
            .unwrap()
            .unwrap();
        mailer
            .submit(&campaign("spring"), recipients(12_800))
            .now_or_never()
            .unwrap()
            .unwrap();
        Self { store, next: 0 }
    }

    /// The batches of the next page, unless all are taken.
    fn page(&mut self) -> Option<Vec<BeginBatch>> {
        self.next += 1;
        let request = ClaimRequest {
            id: ClaimId {
                worker: WorkerId(1),
                number: self.next,
            },
            room: Room {
                relays: BTreeMap::from([("default".parse().unwrap(), Lanes::ALL)]),
                composers: vec![Template::COMPOSER.to_owned()],
                except: Vec::new(),
            },
        };
        let reply = self.store.claim(&request).now_or_never()?.unwrap();
        let ClaimReply::Claimed(claim) = reply else {
            return None;
        };
        let item = |index, call| BeginItem {
            claim: claim.id,
            index,
            call,
            binding: Arc::clone(&claim.binding),
        };
        let batches = claim
            .deliveries
            .chunks_exact(BATCH)
            .zip(1..)
            .map(|(deliveries, call)| {
                let items = deliveries
                    .iter()
                    .map(|delivery| item(delivery.index, call))
                    .collect();
                BeginBatch {
                    policy_version: 1,
                    items,
                }
            });
        Some(batches.collect())
    }
}

fn gate(c: &mut Criterion) {
    let mut group = c.benchmark_group("schedule/begin of 8");
    group.throughput(Throughput::Elements(BATCH as u64));
    let hours = "Mon-Fri 09:00-18:00";
    let policies = [
        ("unlimited", Policy::unlimited()),
        (
            "an hourly limit",
            Policy::new().limit("4000000000/hour").unwrap(),
        ),
        (
            "three limits and hours",
            [
                "4000000000/hour",
                "4000000000/day@Europe/Moscow per sender",
                "4000000000/60m rolling",
            ]
            .into_iter()
            .fold(Policy::new(), |policy, limit| policy.limit(limit).unwrap())
            .hours(hours, "Europe/Moscow")
            .unwrap(),
        ),
    ];
    for (name, policy) in policies {
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| {
                let mut claims = Claims::new(&policy);
                let mut batches = Vec::new();
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    let batch = loop {
                        if let Some(batch) = batches.pop() {
                            break batch;
                        }
                        match claims.page() {
                            // Calls of a claim are numbered upwards.
                            Some(page) => batches = page.into_iter().rev().collect(),
                            None => claims = Claims::new(&policy),
                        }
                    };
                    let started = Instant::now();
                    let reply = claims.store.begin(black_box(&batch)).now_or_never();
                    spent += started.elapsed();
                    black_box(reply.unwrap().unwrap());
                }
                spent
            });
        });
    }
    group.finish();
}

fn forecast(c: &mut Criterion) {
    let mut group = c.benchmark_group("schedule/forecast");
    let start = now();
    let work = Policy::new()
        .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")
        .unwrap();
    for (limits, n) in [
        (&["100/hour"][..], 5_000),
        (&["14/s pace"], 1_000_000),
        (
            &["14/s pace", "50000/day@Europe/Moscow", "40000/60m rolling"],
            1_000_000,
        ),
        (&["60/minute"], 1_000_000),
        (&["14/s pace per relay", "20/s pace per sender"], 1_000_000),
    ] {
        let policy = limits
            .iter()
            .fold(work.clone(), |policy, limit| policy.limit(limit).unwrap());
        group.sample_size(10);
        group.bench_function(format!("{n} at {}", limits.join(" and ")), |b| {
            b.iter(|| black_box(&policy).simulate(start, n));
        });
    }
    group.finish();
}

/// The real engine under virtual time: 100 mails an hour in working hours, for a week.
fn week(c: &mut Criterion) {
    let mut group = c.benchmark_group("schedule/simulated week");
    let policy = Policy::new()
        .limit("100/hour")
        .unwrap()
        .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")
        .unwrap();
    group.sample_size(10);
    group.bench_function("4500 mails", |b| {
        b.iter(|| {
            let sim = Sim::at("2026-11-23T06:00:00Z".parse().unwrap());
            sim.run(async |sim| {
                sim.set_policy(&policy).await.unwrap();
                sim.start_worker();
                let spring = sim
                    .mailer()
                    .submit(&campaign("spring"), recipients(4_500))
                    .await
                    .unwrap()
                    .id;
                sim.advance(Duration::from_secs(7 * 86_400)).await;
                assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 4_500);
            });
        });
    });
    group.finish();
}

criterion_group!(benches, gate, forecast, week);
criterion_main!(benches);
