//! The points of [`Gate`](crate::gate::Gate).

mod begin;
mod refusal;
mod scarce;
mod tokens;

pub use begin::*;
pub use refusal::*;
pub use scarce::*;
pub use tokens::*;

/// A test for every point of [`Gate`](crate::gate::Gate).
#[macro_export]
macro_rules! gate_conformance {
    ($make:path) => {
        $crate::conformance_points! { gate, $make:
            what_goes_is_started
            what_has_begun_does_not_begin_again
            a_call_repeated_gets_the_same_verdicts
            a_call_repeated_after_its_hours_have_closed_gets_the_same_verdicts
            an_earlier_call_is_stale
            verdicts_come_in_the_order_of_the_batch
            one_refusal_does_not_stop_other_streams
            a_claim_of_nobody_is_stale
            a_deferral_does_not_stop_a_begin
            exactly_the_cap_begins_in_an_hour_under_many_claimers
            hours_go_before_limits
            a_closed_hour_defers_the_lane
            hours_of_bulk_bind_no_other_lane
            nothing_begins_after_the_hours_have_closed
            hours_that_never_open_halt
            a_refusal_defers_the_scope_that_refuses
            a_limit_that_ends_after_work_waits_for_the_next_work_start
            a_short_wait_defers_nothing
            a_closed_limit_waits_for_another_policy
            a_campaigns_own_limits_narrow
            a_campaigns_own_hours_narrow
            a_share_is_reserved_for_other_lanes
            a_token_that_was_not_used_comes_back
            a_token_comes_back_only_where_it_was_taken
            a_token_that_was_used_is_spent
            a_token_of_what_cannot_start_goes_to_the_next
            tokens_are_to_be_used_in_their_window
            limits_per_sender_and_relay_are_counted_apart
            as_many_as_it_tells_are_left_begin
            each_lane_is_told_what_is_left_for_it
            a_token_is_free_when_it_tells_that_there_is_one
        }
    };
}
