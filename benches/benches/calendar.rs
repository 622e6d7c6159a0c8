//! The work calendar: open now, open again when.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::hint::black_box;

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use mailer_core::calendar::WorkCalendar;

fn calendar(c: &mut Criterion) {
    let hours = WorkCalendar::parse("Mon-Fri 09:00-18:00", "Europe/Berlin").unwrap();
    let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
    let open = at("2026-11-24T10:00:00Z");
    let evening = at("2026-11-24T19:00:00Z");
    let friday_before_summer_time = at("2026-03-27T20:00:00Z");
    let mut group = c.benchmark_group("calendar");
    group.bench_function("is_open", |b| b.iter(|| hours.is_open(black_box(open))));
    group.bench_function("next_open, open", |b| {
        b.iter(|| hours.next_open(black_box(open)));
    });
    group.bench_function("next_open, the next morning", |b| {
        b.iter(|| hours.next_open(black_box(evening)));
    });
    group.bench_function("next_open, over a weekend on which clocks change", |b| {
        b.iter(|| hours.next_open(black_box(friday_before_summer_time)));
    });
    group.bench_function("closes", |b| b.iter(|| hours.closes(black_box(open))));
    let never = WorkCalendar::parse("never", "Europe/Berlin").unwrap();
    group.bench_function("next_open, never", |b| {
        b.iter(|| never.next_open(black_box(open)));
    });
    group.finish();
}

criterion_group!(benches, calendar);
criterion_main!(benches);
