use mailer_core::domain::{Lane, Limit, LimitKind};
use mailer_core::limits::{Allowance, Counter, Micros};
use proptest::prelude::*;

use crate::{NOON, SECOND, limit};

fn period(limit: &Limit) -> i64 {
    let LimitKind::Pace { per } = limit.kind() else {
        panic!("no pace")
    };
    per.length().as_micros() as i64
}

fn burst(limit: &Limit) -> i64 {
    (i64::from(limit.cap()) * 100_000 / period(limit)).max(1)
}

type Step = (i64, u32, Lane, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let clock = prop_oneof![4 => 0..300_000_i64, 1 => 0..30 * SECOND];
    let n = prop_oneof![0..4_u32, Just(u32::MAX)];
    let lane = prop::sample::select(&Lane::ALL[..]);
    prop::collection::vec((clock, n, lane, any::<bool>()), 1..80)
}

const LIMITS: [&str; 7] = [
    "14/s pace",
    "100/s pace",
    "300000/s pace",
    "4294967295/s pace",
    "7/minute pace",
    "100/hour pace",
    "1/hour pace",
];

proptest! {
    /// No more than burst + cap × T ÷ period tokens in any T, whichever lanes ask and whatever is given back.
    #[test]
    fn no_stretch_outruns_the_pace(
        text in prop::sample::select(&LIMITS[..]),
        steps in steps(),
    ) {
        let limit = limit(text);
        let mut now = Micros::new(NOON);
        let mut counter = Counter::new(&limit, now);
        let mut grants: Vec<(Micros, i64)> = Vec::new();
        for (clock, n, lane, refund) in steps {
            now = now + clock;
            let allowance = Allowance::new(&limit, lane, 40);
            if refund && n == 3 {
                let last = grants.len().saturating_sub(2);
                if last < grants.len() {
                    let (at, tokens) = grants.remove(last);
                    counter.give_back(&limit, tokens as u32, at);
                }
                continue;
            }
            let free = counter.free(now, allowance);
            let next = counter.next_free(&limit, now, allowance).expect("it is open");
            prop_assert_eq!(free > 0, next == now);
            if free == 0 {
                prop_assert_eq!(counter.free(next + -1, allowance), 0);
                prop_assert!(counter.free(next, allowance) > 0);
            }
            let tokens = n.min(free);
            if tokens > 0 {
                counter.take(tokens, now, allowance);
                grants.push((now, i64::from(tokens)));
            }
        }
        for first in 0..grants.len() {
            let mut sum = 0;
            for &(at, tokens) in &grants[first..] {
                sum += tokens;
                let time = i128::from(at - grants[first].0);
                let most = time * i128::from(limit.cap()) / i128::from(period(&limit));
                prop_assert!(i128::from(sum) <= i128::from(burst(&limit)) + most);
            }
        }
    }

    /// A clock set back stops nobody for longer than one interval and a second, and lets one token pass, not a burst.
    #[test]
    fn a_clock_set_back_neither_freezes_nor_floods(
        text in prop::sample::select(&LIMITS[..]),
        back in 1..100_000 * SECOND,
        taken in 1..u32::MAX,
    ) {
        let limit = limit(text);
        let whole = Allowance::whole(&limit);
        let now = Micros::new(NOON);
        let mut counter = Counter::new(&limit, now);
        counter.take(taken.min(counter.free(now, whole)), now, whole);
        let before = counter.free(now, whole);
        let now = now + -back;
        prop_assert!(counter.free(now, whole) <= before.max(1));
        let next = counter.next_free(&limit, now, whole).expect("it is open");
        let interval = period(&limit) / i64::from(limit.cap()) + 1;
        prop_assert!(next - now <= interval + SECOND);
    }

    /// I15: whatever the caps before, nobody waits longer than one interval of the cap of today.
    #[test]
    fn a_new_cap_acts_at_once(caps in prop::collection::vec(1..100_000_u32, 2..10)) {
        let limit = limit("1/s pace");
        let now = Micros::new(NOON);
        let mut counter = Counter::new(&limit, now);
        for cap in caps {
            let whole = Allowance::whole(&limit.clone().with_cap(cap));
            let next = counter.next_free(&limit, now, whole).expect("it is open");
            prop_assert!(next - now <= SECOND / i64::from(cap) + 1);
            counter.take(counter.free(now, whole), now, whole);
        }
    }
}

/// Full use of a pace is its cap exactly, not the nearest rate that a whole interval can express.
#[test]
fn no_rate_is_rounded() {
    let limit = limit("700/s pace");
    let whole = Allowance::whole(&limit);
    let mut now = Micros::new(NOON);
    let mut counter = Counter::new(&limit, now);
    counter.take(counter.free(now, whole), now, whole);
    let mut granted = 0;
    while let Some(next) = counter.next_free(&limit, now, whole)
        && next <= Micros::new(NOON + 60 * SECOND)
    {
        now = next;
        let free = counter.free(now, whole);
        counter.take(free, now, whole);
        granted += free;
    }
    assert!((41_999..=42_000).contains(&granted), "{granted}");
}
