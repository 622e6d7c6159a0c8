//! Many demands in a row at the speed of a pace, reckoned in one step.

use super::{Allowance, Counter, Micros};
use crate::domain::Limit;

/// One limit that binds the run, with its counter [rolled](Counter::roll) to the run's start.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    pub(crate) limit: &'a Limit,
    pub(crate) counter: Counter,
    pub(crate) allowance: Allowance,
}

/// What a run came to: tokens taken one by one, each as soon as it was free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) tokens: u32,
    /// When the last one was taken.
    pub(crate) last: Micros,
}

/// Takes up to `most` tokens after `now` and before `until`, each in the instant in which it becomes free: the same as so
/// many demands one after the other.
///
/// None, and nothing changes, unless one pace is all that holds them up. It stops where another limit might answer
/// differently from now: at the end of a calendar window or of a rolling bucket.
pub(crate) fn run(lines: &mut [Running<'_>], most: u32, now: Micros, until: Micros) -> Option<Run> {
    let (mut room, mut end, mut paces) = (most, until, 0);
    for line in &*lines {
        let steady = match &line.counter {
            Counter::Pace(_) => {
                paces += 1;
                continue;
            }
            Counter::Calendar(_) => line.counter.window(line.limit, now)?.0.last_call(),
            Counter::Rolling(rolling) => rolling.same_bucket_until(now),
        };
        end = end.min(steady);
        room = room.min(line.counter.free(now, line.allowance));
    }
    if paces != 1 {
        return None;
    }
    let run = lines.iter_mut().find_map(|line| match &mut line.counter {
        Counter::Pace(pace) => pace.run(room, end, line.allowance),
        Counter::Calendar(_) | Counter::Rolling(_) => None,
    })?;
    for line in lines {
        if !matches!(line.counter, Counter::Pace(_)) {
            line.counter.take(run.tokens, now, line.allowance);
        }
    }
    Some(run)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Lane;

    fn lines<'a>(limits: &'a [Limit], reserved: u8, now: Micros) -> Vec<Running<'a>> {
        let line = |limit| Running {
            limit,
            counter: Counter::new(limit, now),
            allowance: Allowance::new(limit, Lane::Bulk, reserved),
        };
        limits.iter().map(line).collect()
    }

    /// Takes what is free at `now`.
    fn take(lines: &mut [Running<'_>], now: Micros) -> u32 {
        for line in &mut *lines {
            line.counter.roll(line.limit, now);
        }
        let free = |line: &Running<'_>| line.counter.free(now, line.allowance);
        let room = lines.iter().map(free).min().unwrap_or(0);
        for line in lines {
            line.counter.take(room, now, line.allowance);
        }
        room
    }

    proptest! {
        #[test]
        fn a_run_is_so_many_single_steps(
            pace in prop::sample::select(vec![
                "1/s pace", "3/s pace", "7/s pace", "14/s pace", "333/s pace", "1001/s pace", "70000/s pace",
                "1/minute pace", "1000/minute pace", "7/hour pace", "99999/hour pace",
            ]),
            other in prop::sample::select(vec!["", "500/minute", "90/60s rolling", "100000/day", "7/2s rolling"]),
            reserved in prop::sample::select(vec![0u8, 10, 50]),
            start in 0i64..120_000_000,
            length in 1i64..20_000_000,
        ) {
            let texts = [pace, other];
            let limits: Vec<Limit> =
                texts.iter().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect();
            let (mut now, until) = (Micros::new(start), Micros::new(start + length));
            let (mut jumping, mut stepping) =
                (lines(&limits, reserved, now), lines(&limits, reserved, now));
            take(&mut jumping, now);
            take(&mut stepping, now);
            let Some(run) = run(&mut jumping, 2_000, now, until) else { return Ok(()) };
            prop_assert!(run.tokens > 0 && run.last < until);

            let mut left = run.tokens;
            while left > 0 {
                let pace = &stepping[0];
                now = pace.counter.next_free(pace.limit, now, pace.allowance).unwrap();
                let taken = take(&mut stepping, now);
                // A pace of more than a million a second has more than one at a time.
                prop_assert!(0 < taken && taken <= left);
                left -= taken;
            }
            prop_assert_eq!(now, run.last);
            for (jumped, stepped) in jumping.iter().zip(&stepping) {
                prop_assert_eq!(&jumped.counter, &stepped.counter);
            }
        }
    }
}
