//! The limiter over Redis and the one in memory are one: whatever is asked of both, the answers are equal.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod ops;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{Lane, Limit, Scope};
use mailer_core::limiter::{Demand, Grant, RateLimiter};
use mailer_core::memory::MemoryStore;
use mailer_redis::{RedisConfig, RedisRateLimiter};
use proptest::prelude::*;
use testkit::RedisServer;
use tokio::runtime::Runtime;

use ops::{Ask, LIMITS, Op, Step, op};

/// Ended windows are found again by a clock that is set back by less than 10 minutes.
const FURTHEST_BACK: TimeDelta = TimeDelta::minutes(9);

struct World {
    clock: VirtualClock,
    latest: DateTime<Utc>,
    memory: MemoryStore,
    redis: RedisRateLimiter,
    server: Arc<RedisServer>,
    namespace: String,
    demands: Vec<Demand>,
    /// When the reservation of each is forgotten.
    forgotten_at: Vec<Option<DateTime<Utc>>>,
}

impl World {
    async fn new() -> Self {
        let start: DateTime<Utc> = "2026-11-24T09:57:00Z".parse().unwrap();
        let clock = VirtualClock::at(start);
        let server = support::server().await;
        let namespace = support::namespace();
        let config = RedisConfig::new(server.url(), &namespace).clock(Arc::new(clock.clone()));
        let world = Self {
            memory: MemoryStore::with_clock(Arc::new(clock.clone())),
            redis: RedisRateLimiter::connect(&config).await.unwrap(),
            latest: start,
            clock,
            server,
            namespace,
            demands: Vec::new(),
            forgotten_at: Vec::new(),
        };
        world.warm_up().await;
        world
    }

    /// The memory store sweeps what counts nothing when it is first used, then not for a long time.
    async fn warm_up(&self) {
        for id in ["first", "second"] {
            let demand = Demand {
                id: id.to_owned(),
                lane: Lane::Test,
                n: 1,
                limits: vec![(
                    "9/hour per stream".parse().unwrap(),
                    "stream:x".parse().unwrap(),
                )],
                reserved_percent: 0,
            };
            self.memory.reserve(&[demand]).await.unwrap();
        }
    }

    async fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Reserve(asks) => {
                let first = self.demands.len();
                for ask in asks {
                    let demand = self.demand(&ask);
                    self.demands.push(demand);
                    self.forgotten_at.push(None);
                }
                self.reserve(first..self.demands.len()).await
            }
            Op::Twice(first, second) => {
                let first = self.demand(&first);
                let second = Demand {
                    id: first.id.clone(),
                    ..self.demand(&second)
                };
                let grants = self.compare(&[first.clone(), second]).await?;
                self.demands.push(first);
                self.forgotten_at.push(forgotten_at(&grants[1]));
                Ok(())
            }
            Op::Again(index) => match self.known(index) {
                Some(index) => self.reserve(index..index + 1).await,
                None => Ok(()),
            },
            Op::Refund { index, unused } => {
                if let Some(index) = self.known(index) {
                    let id = &self.demands[index].id;
                    self.memory.refund(id, unused).await.unwrap();
                    self.redis.refund(id, unused).await.unwrap();
                }
                Ok(())
            }
            Op::Clock(step) => {
                self.turn(&step);
                Ok(())
            }
            Op::Usage => self.usage().await,
        }
    }

    fn demand(&self, ask: &Ask) -> Demand {
        let line = |&(place, cap): &(usize, Option<u32>)| {
            let (limit, scope) = LIMITS[place];
            let limit: Limit = limit.parse().unwrap();
            let cap = cap.unwrap_or(limit.cap());
            (limit.with_cap(cap), scope.parse().unwrap())
        };
        Demand {
            id: format!("demand {}", self.demands.len()),
            lane: ask.lane,
            n: ask.n,
            limits: ask.lines.iter().map(line).collect(),
            reserved_percent: ask.reserved_percent,
        }
    }

    /// A demand that both remember, or both have forgotten: of one whose end was seen and taken back, nobody can tell.
    fn known(&self, index: usize) -> Option<usize> {
        let index = index.checked_rem(self.demands.len())?;
        let now = self.clock.now();
        let unclear = self.forgotten_at[index].is_some_and(|end| now < end && end <= self.latest);
        (!unclear).then_some(index)
    }

    async fn reserve(&mut self, range: std::ops::Range<usize>) -> Result<(), TestCaseError> {
        let grants = self.compare(&self.demands[range.clone()]).await?;
        for (index, grant) in range.zip(grants) {
            if grant.granted > 0 {
                self.forgotten_at[index] = forgotten_at(&grant);
            }
        }
        Ok(())
    }

    async fn compare(&self, demands: &[Demand]) -> Result<Vec<Grant>, TestCaseError> {
        let model = self.memory.reserve(demands).await.unwrap();
        let grants = self.redis.reserve(demands).await.unwrap();
        prop_assert_eq!(&grants, &model, "at {}", self.clock.now());
        Ok(grants)
    }

    fn turn(&mut self, step: &Step) {
        let now = self.clock.now();
        let end_of = |seconds: i64| {
            let start = now.timestamp().div_euclid(seconds) * seconds;
            DateTime::from_timestamp(start + seconds, 0).unwrap()
        };
        let to = match step {
            Step::By(micros) => now + TimeDelta::microseconds(*micros),
            Step::Before(micros) => end_of(60) - TimeDelta::microseconds(*micros),
            Step::BeforeHour(micros) => end_of(3600) - TimeDelta::microseconds(*micros),
        };
        let to = to.max(self.latest - FURTHEST_BACK);
        self.latest = self.latest.max(to);
        self.clock.set_wall(to);
    }

    async fn usage(&self) -> Result<(), TestCaseError> {
        let limits: Vec<(Limit, Scope)> = LIMITS
            .iter()
            .map(|(limit, scope)| (limit.parse().unwrap(), scope.parse().unwrap()))
            .collect();
        let model = self.memory.usage(&limits).await.unwrap();
        let usage = self.redis.usage(&limits).await.unwrap();
        prop_assert_eq!(usage, model, "at {}", self.clock.now());
        Ok(())
    }
}

fn forgotten_at(grant: &Grant) -> Option<DateTime<Utc>> {
    (grant.granted > 0).then(|| grant.use_by + TimeDelta::seconds(60))
}

fn play(ops: Vec<Op>) -> Result<(), TestCaseError> {
    Runtime::new().unwrap().block_on(async {
        let mut world = World::new().await;
        for op in ops {
            world.apply(op).await?;
        }
        let endless = support::without_expiry(&world.server, &world.namespace).await;
        prop_assert_eq!(endless, Vec::<String>::new());
        world.usage().await
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_that_of_the_memory_limiter(ops in prop::collection::vec(op(), 1..60)) {
        play(ops)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// So many buckets that they have to merge.
    #[test]
    fn rolling_limits_merge_alike(
        steps in prop::collection::vec((
            prop_oneof![
                40 => 0..400_000_i64,
                2 => 0..5_000_000_i64,
                1 => -30_000_000..0_i64,
            ],
            0..4_u32,
        ), 300..600)
    ) {
        let ask = |n| Ask {
            n,
            lane: Lane::Bulk,
            reserved_percent: 0,
            lines: vec![
                (11, Some(u32::MAX)),
                (10, Some(u32::MAX)),
                (12, Some(u32::MAX)),
                (12, Some(500)),
            ],
        };
        let ops = steps.into_iter().flat_map(|(step, n)| {
            [Op::Clock(Step::By(step)), Op::Reserve(vec![ask(n)]), Op::Refund { index: step.unsigned_abs() as usize, unused: n / 2 }]
        });
        play(ops.collect())?;
    }

    /// A pace that two lines see leak by caps of their own.
    #[test]
    fn paces_leak_alike(
        steps in prop::collection::vec((
            prop_oneof![8 => 0..60_000_i64, 1 => 0..2_000_000_i64, 1 => -1_100_000..0_i64],
            (0..40_u32, 1..500_u32, 1..500_u32),
            prop::sample::select(&[0_u8, 30][..]),
        ), 100..200)
    ) {
        let ops = steps.into_iter().flat_map(|(step, (n, first, second), reserved_percent)| {
            let ask = Ask {
                n,
                lane: Lane::Bulk,
                reserved_percent,
                lines: vec![(16, Some(first)), (16, Some(second)), (15, Some(first * 7))],
            };
            let refund = Op::Refund { index: step.unsigned_abs() as usize, unused: n / 3 };
            [Op::Clock(Step::By(step)), Op::Reserve(vec![ask]), refund]
        });
        play(ops.collect())?;
    }
}
