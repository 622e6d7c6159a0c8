use mailer_core::domain::{Lane, Limit, LimitKind, Scope};
use mailer_core::limits::{Allowance, Decision, Ledger, Line, Micros, Window};
use proptest::prelude::*;

use crate::{NOON, SECOND, limit};

const LIMITS: [&str; 10] = [
    "5/minute",
    "20/hour",
    "30/day@Europe/Moscow",
    "40/week@America/St_Johns",
    "50/month",
    "15/10m rolling",
    "9/20s rolling lanes bulk",
    "12/minute pace",
    "3/s pace",
    "8/minute lanes transactional,bulk",
];

#[derive(Debug, Clone)]
enum Op {
    Reserve { n: u32, lane: Lane },
    GiveBack { index: usize, tokens: u32 },
    Clock(i64),
    Cap { index: usize, cap: u32 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let lane = prop::sample::select(&Lane::ALL[..]);
    let n = prop_oneof![4 => 0..8_u32, 1 => Just(u32::MAX)];
    let clock = prop_oneof![
        6 => 0..20 * SECOND,
        2 => 0..3 * 3600 * SECOND,
        1 => 0..3 * 86_400 * SECOND,
        3 => -540 * SECOND..0,
    ];
    let op = prop_oneof![
        5 => (n, lane).prop_map(|(n, lane)| Op::Reserve { n, lane }),
        2 => (any::<usize>(), 1..6_u32).prop_map(|(index, tokens)| Op::GiveBack { index, tokens }),
        5 => clock.prop_map(Op::Clock),
        1 => (any::<usize>(), 0..60_u32).prop_map(|(index, cap)| Op::Cap { index, cap }),
    ];
    prop::collection::vec(op, 1..60)
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    prop::sample::subsequence(LIMITS.map(limit).to_vec(), 1..4)
}

#[derive(Debug)]
struct Grant {
    at: Micros,
    lane: Lane,
    /// Granted and not given back.
    tokens: u32,
    limits: Vec<Limit>,
}

struct World {
    limits: Vec<Limit>,
    ledger: Ledger,
    grants: Vec<Grant>,
    now: Micros,
    latest: Micros,
}

const RESERVED: u8 = 25;

fn demand(limits: &[Limit]) -> Vec<Line<'_>> {
    let scope = &Scope::Namespace;
    limits.iter().map(|limit| Line { limit, scope }).collect()
}

impl World {
    fn new(limits: Vec<Limit>) -> Self {
        let now = Micros::new(NOON);
        Self {
            limits,
            ledger: Ledger::new(),
            grants: Vec::new(),
            now,
            latest: now,
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Reserve { n, lane } => return self.reserve(n, lane),
            Op::GiveBack { index, tokens } if !self.grants.is_empty() => {
                let index = index % self.grants.len();
                let grant = &mut self.grants[index];
                let tokens = tokens.min(grant.tokens);
                let demand = demand(&grant.limits);
                self.ledger.give_back(&demand, grant.lane, tokens, grant.at);
                grant.tokens -= tokens;
            }
            Op::GiveBack { .. } => {}
            // Ended windows are kept for 10 minutes: a clock set back further is another story.
            Op::Clock(step) => {
                self.now = (self.now + step).max(self.latest + -540 * SECOND);
                self.latest = self.latest.max(self.now);
            }
            Op::Cap { index, cap } => {
                let index = index % self.limits.len();
                let limit = &mut self.limits[index];
                *limit = limit.clone().with_cap(cap);
            }
        }
        Ok(())
    }

    fn reserve(&mut self, n: u32, lane: Lane) -> Result<(), TestCaseError> {
        let before = self.used();
        let binds: Vec<bool> = self
            .limits
            .iter()
            .map(|l| l.lanes().contains(lane))
            .collect();
        let lines = demand(&self.limits);
        let decision = self.ledger.reserve(&lines, lane, RESERVED, n, self.now);
        let after = self.used();
        match decision {
            Decision::Granted {
                granted,
                use_by,
                bound_by,
                retry_at,
            } => {
                prop_assert!(granted <= n && self.now < use_by && use_by <= self.now + 5 * SECOND);
                prop_assert_eq!(bound_by.is_some(), granted < n);
                self.grants.push(Grant {
                    at: self.now,
                    lane,
                    tokens: granted,
                    limits: self.limits.clone(),
                });
                for (index, limit) in self.limits.iter().enumerate() {
                    // I4: the same number of every limit that binds the lane. A pace counts what has not run off.
                    let counted = if binds[index] { granted } else { 0 };
                    if !matches!(limit.kind(), LimitKind::Pace { .. }) {
                        prop_assert_eq!(after[index], before[index] + counted, "{}", limit);
                    }
                    if let Some(window) = window(limit, self.now)
                        && binds[index]
                    {
                        let room = Allowance::new(limit, lane, RESERVED)
                            .own()
                            .saturating_sub(before[index]);
                        prop_assert!(granted <= room);
                        prop_assert!(use_by + 250_000 <= window.end);
                    }
                }
                // I6: full use.
                if let Some(line) = bound_by
                    && window(&self.limits[line], self.now).is_some()
                {
                    let own = Allowance::new(&self.limits[line], lane, RESERVED).own();
                    prop_assert_eq!(after[line], own);
                }
                if granted < n {
                    self.only_from(retry_at, lane)?;
                }
            }
            Decision::Refused {
                line,
                reason,
                retry_at,
            } => {
                prop_assert_eq!(before, after);
                let refusing = &self.limits[line];
                prop_assert_eq!(reason, refusing.kind().reason_code(refusing.cap()));
                prop_assert_eq!(retry_at.is_none(), reason == "limit_closed");
                self.only_from(retry_at, lane)?;
            }
        }
        Ok(())
    }

    /// I7, I8: refused until exactly the promised instant, granted at it.
    fn only_from(&self, retry_at: Option<Micros>, lane: Lane) -> Result<(), TestCaseError> {
        let ask = |at: Micros| {
            let decision =
                self.ledger
                    .clone()
                    .reserve(&demand(&self.limits), lane, RESERVED, 1, at);
            matches!(decision, Decision::Granted { granted: 1, .. })
        };
        let Some(retry_at) = retry_at else {
            let open = |limit: &Limit| limit.cap() > 0 || !limit.lanes().contains(lane);
            prop_assert!(!self.limits.iter().all(open));
            return Ok(());
        };
        prop_assert!(self.now < retry_at);
        prop_assert!(ask(retry_at), "granted at {:?}", retry_at);
        let wait = retry_at - self.now;
        for early in [1, 1_000, wait / 3, wait / 2]
            .into_iter()
            .filter(|early| (1..=wait).contains(early))
        {
            prop_assert!(
                !ask(retry_at + -early),
                "refused {early} before {retry_at:?}"
            );
        }
        Ok(())
    }

    /// I1, I2, I10, I14: in every window what is granted and not given back, and so at most a cap that was in force.
    fn check(&self) -> Result<(), TestCaseError> {
        for limit in &self.limits {
            let usage = self.ledger.usage(limit, &Scope::Namespace, self.now);
            let Some(window) = window(limit, self.now) else {
                continue;
            };
            let in_window =
                |grant: &&Grant| window.contains(grant.at) && limit.lanes().contains(grant.lane);
            let live: u32 = self
                .grants
                .iter()
                .filter(in_window)
                .map(|grant| grant.tokens)
                .sum();
            prop_assert_eq!(usage.used, live, "{}", limit);
            let caps = self
                .grants
                .iter()
                .filter(in_window)
                .flat_map(|grant| &grant.limits);
            let highest = caps
                .filter(|other| other.same_counter(limit))
                .map(Limit::cap)
                .max();
            prop_assert!(live <= highest.unwrap_or(0));
        }
        Ok(())
    }

    fn used(&self) -> Vec<u32> {
        let usage = |limit| self.ledger.usage(limit, &Scope::Namespace, self.now);
        self.limits.iter().map(|limit| usage(limit).used).collect()
    }
}

fn window(limit: &Limit, at: Micros) -> Option<Window> {
    match limit.kind() {
        LimitKind::Calendar { unit, zone } => Some(Window::of(*unit, zone, at)),
        LimitKind::Rolling { .. } | LimitKind::Pace { .. } => None,
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_limits_hold(limits in limits(), ops in ops()) {
        let mut world = World::new(limits);
        for op in ops {
            world.apply(op)?;
            world.check()?;
        }
    }
}
