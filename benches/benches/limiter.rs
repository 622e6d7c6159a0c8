//! One decision of the limiter, beside governor's in the same run.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::hint::black_box;
use std::num::NonZeroU32;

use criterion::{Criterion, criterion_group, criterion_main};
use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use mailer_core::domain::{Lane, Limit, Scope};
use mailer_core::limits::{Allowance, Bound, Counter, Ledger, Line, Micros, decide};

/// In the middle of a minute and an hour, so that no window turns within a sample.
const NOW: Micros = Micros::new(1_764_000_000_000_000);

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

/// Ours takes time as an argument, so governor gets a clock that stands, and once the clock it comes with.
fn peers(c: &mut Criterion) {
    let mut group = c.benchmark_group("limiter/one decision");
    let quota = Quota::per_second(NonZeroU32::MAX);
    let governor = RateLimiter::direct_with_clock(quota, FakeRelativeClock::default());
    group.bench_function("governor, granted", |b| {
        b.iter(|| black_box(&governor).check());
    });
    let governor = RateLimiter::direct(quota);
    group.bench_function("governor with its own clock, granted", |b| {
        b.iter(|| black_box(&governor).check());
    });
    let one = RateLimiter::direct_with_clock(
        Quota::per_hour(NonZeroU32::MIN),
        FakeRelativeClock::default(),
    );
    let _first = one.check();
    group.bench_function("governor, refused", |b| b.iter(|| black_box(&one).check()));

    for text in [
        "4294967295/hour",
        "4294967295/60m rolling",
        "4294967295/s pace",
    ] {
        let limit = limit(text);
        let allowance = Allowance::new(&limit, Lane::Bulk, 0);
        let mut counter = Counter::new(&limit, NOW);
        let mut now = NOW;
        group.bench_function(format!("{text}, granted"), |b| {
            b.iter(|| {
                // A pace has run ahead of a clock that stands; the step is part of what is measured.
                now = if now - NOW > 1_000_000 { NOW } else { now + 1 };
                reserve(&mut counter, &limit, allowance, black_box(now))
            });
        });
    }
    for text in ["1/hour", "1/60m rolling", "1/minute pace"] {
        let limit = limit(text);
        let allowance = Allowance::whole(&limit);
        let mut counter = Counter::new(&limit, NOW);
        counter.take(1, NOW, allowance);
        group.bench_function(format!("{text}, refused with retry_at"), |b| {
            b.iter(|| {
                let now = black_box(NOW);
                counter.roll(&limit, now);
                let bound = Bound {
                    line: 0,
                    limit: &limit,
                    counter: &counter,
                    allowance,
                };
                decide(&[bound], 1, now)
            });
        });
    }
    group.finish();
}

/// The pure decision: roll, look, take.
fn reserve(counter: &mut Counter, limit: &Limit, allowance: Allowance, now: Micros) -> u32 {
    counter.roll(limit, now);
    let granted = counter.free(now, allowance).min(1);
    if granted > 0 {
        counter.take(granted, now, allowance);
    }
    granted
}

fn ledger(c: &mut Criterion) {
    let mut group = c.benchmark_group("limiter/ledger");
    let three = [
        "4294967295/hour",
        "4294967295/day@Europe/Moscow per sender",
        "4294967295/60m rolling",
    ];
    let limits: Vec<Limit> = three.into_iter().map(limit).collect();
    let sender = Scope::sender("news@shop.example");
    let scopes = [Scope::Namespace, sender, Scope::Namespace];
    let lines: Vec<Line<'_>> = limits
        .iter()
        .zip(&scopes)
        .map(|(limit, scope)| Line { limit, scope })
        .collect();
    for count in [1, 3] {
        let mut ledger = Ledger::new();
        group.bench_function(format!("{count} limits"), |b| {
            b.iter(|| ledger.reserve(&lines[..count], Lane::Bulk, 0, 1, black_box(NOW)));
        });
    }
    let keyed = RateLimiter::hashmap_with_clock(
        Quota::per_second(NonZeroU32::MAX),
        FakeRelativeClock::default(),
    );
    let key = scopes[1].clone();
    group.bench_function("governor, keyed by the same scope", |b| {
        b.iter(|| keyed.check_key(black_box(&key)));
    });
    group.finish();
}

criterion_group!(benches, peers, ledger);
criterion_main!(benches);
