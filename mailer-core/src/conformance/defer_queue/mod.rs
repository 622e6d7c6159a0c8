//! The points of [`DeferQueue`](crate::queue::DeferQueue).

mod blame;
mod claim;
mod defer;
mod doubt;
mod lease;
mod settle;
mod share;

pub use blame::*;
pub use claim::*;
pub use defer::*;
pub use doubt::*;
pub use lease::*;
pub use settle::*;
pub use share::*;

/// A test for every point of [`DeferQueue`](crate::queue::DeferQueue).
#[macro_export]
macro_rules! defer_queue_conformance {
    ($make:path) => {
        $crate::conformance_points! { defer_queue, $make:
            pages_are_disjoint_under_many_claimers
            a_claim_repeated_gets_the_same_page
            tokens_grow_with_every_claim
            nothing_is_claimed_before_it_is_due
            a_clock_set_back_does_not_forestall_a_start
            a_claim_that_was_settled_is_not_given_again
            a_letter_comes_as_it_was_stored
            retries_come_in_the_order_of_their_due_times
            a_far_future_is_waited_for
            an_expired_campaign_is_not_claimed
            an_expired_mail_is_not_claimed
            only_what_the_worker_serves_is_claimed
            an_unserved_composer_does_not_hide_others
            lanes_go_in_order
            streams_share_fairly_by_weight
            a_newcomer_starts_level
            what_did_not_begin_is_not_charged
            closed_scopes_are_passed_over
            a_closed_lane_leaves_the_others_open
            an_empty_claim_says_when_to_ask_again
            a_tick_keeps_a_lease
            a_lapsed_lease_begins_nothing
            a_silent_claim_is_reaped_15_s_after_it_is_suspect
            an_owner_that_comes_back_in_time_keeps_its_claim
            a_gap_in_ticks_restarts_the_suspicion
            a_clock_set_back_reaps_nobody
            what_was_not_started_returns_at_no_cost
            what_was_started_becomes_unknown
            a_reaped_claim_is_reported_lost
            a_reaped_claim_changes_nothing
            a_page_reaped_twice_is_claimed_one_by_one
            three_crashes_over_one_delivery_give_it_up
            an_orderly_return_is_no_crash
            a_worker_that_goes_is_gone_at_once
            outcomes_reach_the_ledger
            settling_twice_counts_once
            foreign_settlements_change_nothing
            what_was_not_started_cannot_be_sent
            refusals_cost_an_attempt_and_wait
            the_relays_patience_lengthens_the_wait
            the_last_attempt_fails
            returned_mails_cost_no_attempt
            a_settled_delivery_leaves_the_claim
            a_settled_page_is_free_at_once
            ten_blocks_in_a_row_halt
            more_than_a_fifth_of_blocks_halts
            blocks_long_ago_are_forgotten
            only_verdicts_on_the_mail_are_blocks
            blocks_do_not_halt_single_mails
            a_resumed_campaign_is_judged_anew
            trouble_that_others_do_not_share_costs_an_attempt
            troubled_mails_let_others_go_first
            start_marks_without_limits
            start_repeats_its_verdict
            unknown_mails_are_assumed_sent
            unknown_mails_are_held
            unknown_mails_are_sent_again_after_the_longest_deadline
            late_evidence_resolves_a_doubt
            late_evidence_ends_a_retry
            late_evidence_of_another_claim_changes_nothing
            late_words_without_evidence_change_nothing
            late_evidence_takes_a_repetition_out_of_hand
            the_later_of_two_deferrals_holds
            since_is_the_start_of_the_uninterrupted_wait
            an_open_deferral_lasts_until_resumed
            trouble_waits_as_the_policy_says
            a_relay_that_works_for_others_is_not_deferred
            a_deferral_of_an_older_policy_is_none
            settling_defers_in_the_same_step
            many_deferrals_leave_one_record
            a_halt_stops_until_resumed
            a_relay_that_works_for_others_halts_nobody
            a_halt_of_nothing_is_not_found
        }
    };
}
