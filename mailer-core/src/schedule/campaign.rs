//! The shown state of a campaign: a projection of its facts.

use chrono::{DateTime, Utc};

use crate::domain::{CampaignState, Counts, Deferral};
use crate::queue::Hold;

/// What is known of a campaign, each fact for itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// Whether all recipients are stored.
    pub(crate) sealed: bool,
    pub(crate) hold: Option<&'a Hold>,
    /// The latest among the deferrals of its scopes.
    pub(crate) deferral: Option<&'a Deferral>,
    /// As marked in the ledger, before cancelling or expiry is taken into account.
    pub(crate) counts: Counts,
    /// Whether any of its mails has begun.
    pub(crate) begun: bool,
    /// Whether its time is over.
    pub(crate) expired: bool,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) state: CampaignState,
    pub(crate) reason_code: Option<String>,
    pub(crate) reason_text: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) next_run_at: Option<DateTime<Utc>>,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) counts: Counts,
}

/// Cancelling and expiry take no step per recipient: who is pending then reads as cancelled or expired.
pub(crate) fn counts(facts: &Facts<'_>) -> Counts {
    let waiting = facts.counts.pending + facts.counts.retrying;
    let mut shown = facts.counts;
    if facts.hold == Some(&Hold::Cancelled) {
        shown.cancelled += waiting;
    } else if facts.expired {
        shown.expired += waiting;
    } else {
        return shown;
    }
    shown.pending = 0;
    shown.retrying = 0;
    shown
}

pub(crate) fn state(facts: &Facts<'_>) -> CampaignState {
    match facts.hold {
        Some(Hold::Cancelled) => CampaignState::Cancelled,
        _ if !facts.sealed => CampaignState::Draft,
        _ if counts(facts).open() == 0 => CampaignState::Completed,
        Some(Hold::Halted { .. }) => CampaignState::Halted,
        Some(Hold::Paused { .. }) => CampaignState::Paused,
        None if facts.deferral.is_some() => CampaignState::Deferred,
        None if facts.begun => CampaignState::Sending,
        None => CampaignState::Queued,
    }
}

pub(crate) fn show(facts: &Facts<'_>) -> Shown {
    let mut shown = Shown {
        state: state(facts),
        reason_code: None,
        reason_text: None,
        detail: None,
        next_run_at: None,
        since: None,
        counts: counts(facts),
    };
    match (shown.state, facts.hold, facts.deferral) {
        (CampaignState::Halted, Some(Hold::Halted { cause, detail }), _) => {
            shown.reason_code = Some(cause.code().to_owned());
            shown.reason_text = Some(cause.text().to_owned());
            shown.detail = Some(detail.clone()).filter(|detail| !detail.is_empty());
        }
        (CampaignState::Paused, Some(Hold::Paused { by, why }), _) => {
            shown.reason_code = Some("paused".to_owned());
            shown.reason_text = Some(format!("paused by {by}"));
            shown.detail = Some(why.clone()).filter(|why| !why.is_empty());
        }
        (CampaignState::Deferred, _, Some(deferral)) => {
            shown.reason_code = Some(deferral.reason.code().to_owned());
            shown.reason_text = Some(deferral.reason.text().to_owned());
            shown.detail.clone_from(&deferral.detail);
            shown.next_run_at = deferral.until;
            shown.since = Some(deferral.since);
        }
        _ => {}
    }
    shown
}
