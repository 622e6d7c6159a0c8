//! What the gate tells of the limits that it asked: how many tokens they have left.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::limiter::Limiter;
use crate::domain::StoredPolicy;
use crate::gate::{Binding, Left, Scarce};
use crate::schedule::term::{FEW_TOKENS, SHORT_WAIT};

/// Looks at the limits of these bindings, and takes nothing.
pub(super) fn scarce(
    limiter: &mut Limiter,
    stored: &StoredPolicy,
    asked: &[Arc<Binding>],
    now: DateTime<Utc>,
) -> Scarce {
    let mut scarce = Scarce::default();
    let reserved = stored.policy.reserved_percent();
    for binding in asked {
        for (limit, scope) in binding.limits(stored, now) {
            let (tokens, free_at) = limiter.free(now, binding.lane, reserved, limit, &scope);
            if tokens < FEW_TOKENS {
                let more_at = free_at.filter(|at| tokens == 0 && *at - now < SHORT_WAIT);
                scarce.note(scope, binding.lane, Left { tokens, more_at });
            }
        }
    }
    scarce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Campaign, Lane, Limit, Policy, Scope};
    use crate::template::Template;

    /// `SCOPE: TOKENS` of what is told at this second of an hour when `taken` campaign mails have begun at its
    /// start, of which a tenth is kept from them.
    fn told(limits: &[&str], taken: usize, second: i64) -> Vec<String> {
        let limits = limits.iter().map(|text| text.parse::<Limit>().unwrap());
        let policy = Policy::new().with_limits(limits.collect::<Vec<_>>());
        let policy = policy.reserved(10).unwrap();
        let start: DateTime<Utc> = "2026-11-24T09:00:00Z".parse().unwrap();
        let stored = StoredPolicy::after(None, &policy, 1, start);
        let campaign = Campaign::new("c")
            .from("a@shop.example")
            .template(Template::new("s").text("t"));
        let binding = Arc::new(Binding::of_campaign(&campaign.check().unwrap()));
        let mut limiter = Limiter::default();
        let limits: Vec<(Limit, Scope)> = binding
            .limits(&stored, start)
            .map(|(limit, scope)| (limit.clone(), scope))
            .collect();
        for _ in 0..taken {
            limiter.take_one(start, Lane::Bulk, 10, &limits).unwrap();
        }
        let now = start + chrono::TimeDelta::seconds(second);
        let scarce = scarce(&mut limiter, &stored, &[binding], now);
        let line = |(scope, lane, Left { tokens, more_at }): (&Scope, Lane, Left)| {
            assert_eq!(lane, Lane::Bulk);
            let soon = more_at.map(|at| format!(", more in {} ms", (at - now).num_milliseconds()));
            format!("{scope}: {tokens}{}", soon.unwrap_or_default())
        };
        scarce.iter().map(line).collect()
    }

    #[test]
    fn few_tokens_are_told_and_many_are_not() {
        assert_eq!(told(&["284/hour"], 1, 0), ["namespace: 255"]);
        assert_eq!(told(&["285/hour"], 1, 0), [""; 0]);
        assert_eq!(told(&[], 1, 0), [""; 0]);
    }

    #[test]
    fn each_scope_is_told_by_its_tightest_limit() {
        let limits = [
            "100/day",
            "50/hour",
            "20/hour per sender",
            "10/hour per campaign",
            "1000/hour per relay",
        ];
        assert_eq!(
            told(&limits, 5, 0),
            [
                "namespace: 40",
                "sender:a@shop.example: 13",
                "campaign:c: 4"
            ]
        );
    }

    #[test]
    fn when_there_is_more_is_told_where_that_is_soon() {
        let hour = ["10/hour"];
        assert_eq!(told(&hour, 9, 0), ["namespace: 0"]);
        assert_eq!(told(&hour, 9, 3_599), ["namespace: 0, more in 1000 ms"]);
        assert_eq!(told(&["9/60m rolling"], 9, 3_599), ["namespace: 0"]);
        assert_eq!(told(&["10/s pace"], 1, 0), ["namespace: 0, more in 111 ms"]);
        assert_eq!(told(&["10/minute pace"], 1, 0), ["namespace: 0"]);
        assert_eq!(
            told(&["10/minute pace"], 1, 6),
            ["namespace: 0, more in 666 ms"]
        );
        assert_eq!(
            told(&["10/s pace", "9/hour"], 1, 0),
            ["namespace: 0, more in 111 ms"]
        );
    }

    #[test]
    fn a_closed_limit_has_nothing_and_never_more() {
        assert_eq!(told(&["0/s pace"], 0, 0), ["namespace: 0"]);
        assert_eq!(told(&["0/hour", "10/s pace"], 0, 3_599), ["namespace: 0"]);
    }
}
