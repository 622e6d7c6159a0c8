//! The points of [`RateLimiter`](crate::limiter::RateLimiter).

mod counting;
mod refusing;
mod windows;

use super::Harness;
use crate::domain::{Lane, Limit, Scope};
use crate::limiter::{Demand, Grant};

pub use counting::*;
pub use refusing::*;
pub use windows::*;

/// A test for every point of [`RateLimiter`](crate::limiter::RateLimiter).
#[macro_export]
macro_rules! rate_limiter_conformance {
    ($make:path) => {
        $crate::conformance_points! { rate_limiter, $make:
            grants_as_much_as_there_is
            never_grants_more_than_the_cap_to_many_callers
            moves_all_limits_by_the_same_number
            refused_demands_change_nothing
            asks_for_none_change_nothing
            the_same_id_counts_once
            refunds_come_back_once
            refunds_never_exceed_what_was_granted
            refunds_of_unknown_ids_change_nothing
            refunds_stay_in_their_window
            scopes_and_lanes_are_counted_apart
            reserved_tokens_are_kept_from_bulk
            demands_are_served_in_order
            without_limits_all_is_granted
            a_refusal_names_the_limit_that_refuses_longest
            nothing_is_free_before_retry_at_and_one_is_then
            several_limits_name_the_first_instant_at_which_all_agree
            a_partial_grant_says_when_there_is_more
            a_closed_limit_names_no_instant
            a_raised_cap_gives_the_difference_and_a_lowered_one_acts_at_once
            tokens_are_to_be_used_before_their_window_ends
            hours_are_of_the_utc_clock
            days_are_of_the_limits_zone
            rolling_limits_hold_in_any_stretch
            paces_are_even
            a_clock_set_back_grants_nothing_extra
            unused_reservations_cost_their_window_only
            usage_shows_what_counts
        }
    };
}

fn demand(id: impl Into<String>, n: u32, limits: &[&str]) -> Demand {
    Demand {
        id: id.into(),
        lane: Lane::Bulk,
        n,
        limits: lines(limits),
        reserved_percent: 0,
    }
}

fn lines(limits: &[&str]) -> Vec<(Limit, Scope)> {
    limits
        .iter()
        .map(|limit| (limit.parse().unwrap(), Scope::Namespace))
        .collect()
}

async fn reserve(harness: &Harness, demand: Demand) -> Grant {
    harness.limiter.reserve(&[demand]).await.unwrap().remove(0)
}

/// How many of `n` tokens are granted.
async fn take(harness: &Harness, id: impl Into<String>, n: u32, limits: &[&str]) -> u32 {
    reserve(harness, demand(id, n, limits)).await.granted
}

async fn used(harness: &Harness, limit: &str) -> u32 {
    let usage = harness.limiter.usage(&lines(&[limit])).await.unwrap();
    usage[0].used
}
