//! What is asked of both limiters.

use mailer_core::domain::Lane;
use proptest::prelude::*;

pub(crate) const LIMITS: [(&str, &str); 20] = [
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

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Reserve(Vec<Ask>),
    Again(usize),
    /// One id twice in one call.
    Twice(Ask, Ask),
    Refund {
        index: usize,
        unused: u32,
    },
    Clock(Step),
    Usage,
}

#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) n: u32,
    pub(crate) lane: Lane,
    pub(crate) reserved_percent: u8,
    /// Limits by their place, and what cap they have by now.
    pub(crate) lines: Vec<(usize, Option<u32>)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
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

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let some = || 0..LIMITS.len();
    prop_oneof![
        8 => prop::collection::vec(ask(some()), 1..4).prop_map(Op::Reserve),
        1 => any::<usize>().prop_map(Op::Again),
        1 => (ask(some()), ask(some())).prop_map(|(first, second)| Op::Twice(first, second)),
        2 => (any::<usize>(), prop_oneof![4 => 0..6_u32, 1 => Just(u32::MAX)])
            .prop_map(|(index, unused)| Op::Refund { index, unused }),
        6 => step().prop_map(Op::Clock),
        1 => Just(Op::Usage),
    ]
}
