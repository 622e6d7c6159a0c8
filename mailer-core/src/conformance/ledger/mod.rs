//! The points of [`Ledger`](crate::queue::Ledger).

mod ends;
mod holds;
mod shown;

use super::Harness;
use crate::domain::{CampaignId, Status};
use crate::queue::HoldChange;

pub use ends::*;
pub use holds::*;
pub use shown::*;

/// A test for every point of [`Ledger`](crate::queue::Ledger).
#[macro_export]
macro_rules! ledger_conformance {
    ($make:path) => {
        $crate::conformance_points! { ledger, $make:
            a_campaign_is_shown_through_its_life
            closed_hours_are_shown_before_any_worker_meets_them
            a_start_that_has_not_come_is_shown
            only_retries_left_is_shown
            workers_are_shown_while_they_live
            what_nobody_knows_the_host_resolves
            what_is_not_there_is_not_found
            campaigns_are_listed_in_the_order_of_submission
            outcomes_come_page_by_page
            after_a_pause_nothing_begins
            a_resumed_campaign_goes_on
            after_a_cancel_nothing_begins
            what_had_begun_settles_normally_after_a_cancel
            a_cancelled_campaign_stays_cancelled
            a_campaign_at_its_end_cannot_be_held
            a_pause_outlasts_a_reap
            resume_ends_waits_that_no_policy_caused
            resume_leaves_the_policys_waits
            a_ticket_follows_its_mail
            an_expired_mail_is_forgotten_a_day_later
            only_what_is_final_is_purged
            a_purged_campaign_leaves_its_counts
            a_cancelled_campaign_with_mails_in_flight_is_not_purged
        }
    };
}

fn pause() -> HoldChange {
    HoldChange::Pause {
        by: "Ann".to_owned(),
        why: "a wrong price".to_owned(),
    }
}

async fn status(harness: &Harness, id: &CampaignId) -> Status {
    let status = harness.ledger.status(id).await.unwrap();
    assert_eq!(status.counts.sum(), status.counts.total, "{status}");
    status
}

async fn hold(harness: &Harness, id: &CampaignId, change: HoldChange) {
    harness.ledger.hold(id, &change).await.unwrap();
}
