//! The limiter over Redis and the one in memory are one: whatever is asked of both, the answers are equal.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod support;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{Lane, Limit, Scope};
use mailer_core::limiter::{Demand, RateLimiter};
use mailer_core::memory::MemoryStore;
use mailer_redis::{RedisConfig, RedisRateLimiter};
use proptest::prelude::*;
use testkit::RedisServer;
use tokio::runtime::Runtime;

const LIMITS: [(&str, &str); 20] = [
    ("5/minute", "namespace"),
    ("20/hour", "namespace"),
    ("30/day@Europe/Moscow", "namespace"),
    ("40/week@America/St_Johns", "namespace"),
    ("50/month", "namespace"),
    ("4294967295/hour lanes bulk", "namespace"),
    ("7/minute per relay", "relay:a"),
    ("7/minute per relay", "relay:b"),
    ("11/day per sender", "sender:a@b.example"),
    ("8/minute lanes transactional,bulk", "namespace"),
    ("15/10m rolling", "namespace"),
    ("9/20s rolling lanes bulk", "namespace"),
    ("3/1s rolling", "namespace"),
    ("4294967295/60m rolling", "namespace"),
    ("12/minute pace", "namespace"),
    ("3/s pace per campaign", "campaign:spring"),
    ("100/s pace", "namespace"),
    ("50/hour pace", "namespace"),
    ("4294967295/s pace lanes bulk", "namespace"),
    ("4294967295/hour pace lanes test,bulk", "namespace"),
];

/// Ended windows are found again by a clock that is set back by less than 10 minutes.
const FURTHEST_BACK: TimeDelta = TimeDelta::minutes(9);

#[derive(Debug, Clone)]
enum Op {
    Reserve(Vec<Ask>),
    Again(usize),
    Refund { index: usize, unused: u32 },
    Clock(Step),
    Usage,
}

#[derive(Debug, Clone)]
struct Ask {
    n: u32,
    lane: Lane,
    reserved_percent: u8,
    /// Limits by their place, and what cap they have by now.
    lines: Vec<(usize, Option<u32>)>,
}

#[derive(Debug, Clone)]
enum Step {
    By(i64),
    /// Before the minute ends.
    Before(i64),
    /// Before the hour ends.
    BeforeHour(i64),
}

fn ask(limits: std::ops::Range<usize>) -> impl Strategy<Value = Ask> {
    let n = prop_oneof![6 => 0..8_u32, 1 => 8..300_u32, 1 => Just(u32::MAX)];
    let cap = prop_oneof![
        6 => Just(None),
        2 => (0..60_u32).prop_map(Some),
        1 => Just(Some(u32::MAX)),
    ];
    let reserved = prop::sample::select(&[0, 0, 25, 90, 255][..]);
    let lane = prop::sample::select(&Lane::ALL[..]);
    let lines = prop::collection::vec((limits, cap.clone()), 0..4);
    let twice = prop::option::weighted(0.3, cap);
    (n, lane, reserved, lines, twice).prop_map(|(n, lane, reserved_percent, mut lines, twice)| {
        // A policy and a campaign may name the same counter under different caps.
        if let (Some(cap), Some((limit, _))) = (twice, lines.first()) {
            lines.push((*limit, cap));
        }
        Ask {
            n,
            lane,
            reserved_percent,
            lines,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    const SECOND: i64 = 1_000_000;
    let edge = prop::sample::select(&[0, 1, 249_999, 250_000, 250_001, 900_000, 3 * SECOND][..]);
    prop_oneof![
        5 => (0..20 * SECOND).prop_map(Step::By),
        2 => (0..300_000_i64).prop_map(Step::By),
        2 => (0..3 * 3600 * SECOND).prop_map(Step::By),
        1 => (0..3 * 86_400 * SECOND).prop_map(Step::By),
        2 => (-540 * SECOND..0).prop_map(Step::By),
        2 => (-1_100_000..0_i64).prop_map(Step::By),
        2 => edge.clone().prop_map(Step::Before),
        1 => edge.prop_map(Step::BeforeHour),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let some = || 0..LIMITS.len();
    prop_oneof![
        8 => prop::collection::vec(ask(some()), 1..4).prop_map(Op::Reserve),
        1 => any::<usize>().prop_map(Op::Again),
        2 => (any::<usize>(), prop_oneof![4 => 0..6_u32, 1 => Just(u32::MAX)])
            .prop_map(|(index, unused)| Op::Refund { index, unused }),
        6 => step().prop_map(Op::Clock),
        1 => Just(Op::Usage),
    ]
}

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
        let demands = &self.demands[range.clone()];
        let model = self.memory.reserve(demands).await.unwrap();
        let grants = self.redis.reserve(demands).await.unwrap();
        for (index, grant) in range.zip(&model) {
            if grant.granted > 0 {
                self.forgotten_at[index] = Some(grant.use_by + TimeDelta::seconds(60));
            }
        }
        prop_assert_eq!(grants, model, "at {}", self.clock.now());
        Ok(())
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
