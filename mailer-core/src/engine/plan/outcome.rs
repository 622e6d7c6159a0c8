//! What follows from an attempt's outcome.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{Failure, HaltCause, OnUnknown, Outcome, Reason, Scope};
use crate::queue::{Defer, Settled, Wait};

/// What the ledger is told, and what else must happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Consequence {
    pub(super) settled: Settled,
    pub(super) detail: String,
    pub(super) then: Then,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// The relay waits.
    Defer(Reason, Wait),
    /// The stream stops.
    Halt(HaltCause),
}

/// Total over all outcomes: the table of the classes of a send.
pub(super) fn consequence(outcome: Outcome, rule: OnUnknown) -> Consequence {
    let of = |settled, detail, then| Consequence {
        settled,
        detail,
        then,
    };
    match outcome {
        Outcome::Sent { reply } => of(Settled::Sent, reply, Then::Nothing),
        Outcome::NotStarted => of(Settled::NotStarted, String::new(), Then::Nothing),
        Outcome::PermanentRecipient { reply } => {
            of(Settled::Failed(Failure::Recipient), reply, Then::Nothing)
        }
        Outcome::PermanentMessage { reply } => {
            of(Settled::Failed(Failure::Message), reply, Then::Nothing)
        }
        Outcome::PolicyBlock { reply } => {
            of(Settled::Failed(Failure::PolicyBlock), reply, Then::Nothing)
        }
        Outcome::PermanentConfig { cause, reply } => {
            of(Settled::Returned, reply, Then::Halt(cause))
        }
        Outcome::TransientRecipient { reply, retry_after } => {
            of(Settled::Retry { after: retry_after }, reply, Then::Nothing)
        }
        Outcome::TransientRelay { reply } => of(
            Settled::Troubled,
            reply,
            Then::Defer(Reason::TransientError, Wait::AfterTrouble),
        ),
        Outcome::RelayLimited { reply, retry_after } => of(
            Settled::Troubled,
            reply,
            Then::Defer(Reason::RelayLimited, patience(retry_after)),
        ),
        Outcome::Unknown { reply } => of(Settled::Unknown { rule }, reply, Then::Nothing),
    }
}

/// As long as the relay asked for, or as the policy says.
pub(super) fn patience(asked: Option<Duration>) -> Wait {
    asked.map_or(Wait::AfterTrouble, Wait::For)
}

/// The relay waits, unless somebody has got a mail through since the failing attempt began.
pub(super) fn defer_relay(
    scope: Scope,
    reason: Reason,
    wait: Wait,
    detail: String,
    attempt_began: DateTime<Utc>,
) -> Defer {
    Defer {
        scope,
        lane: None,
        reason,
        wait,
        detail: Some(detail).filter(|detail| !detail.is_empty()),
        unless_sent_since: Some(attempt_began),
        policy_version: None,
    }
}
