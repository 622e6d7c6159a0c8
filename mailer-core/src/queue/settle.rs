use std::time::Duration;

use chrono::{DateTime, Utc};

use super::StreamId;
use crate::domain::{ClaimId, Deferral, Failure, HaltCause, Lane, OnUnknown, Reason, Scope};

/// What became of one delivery of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Settlement {
    /// Of which claim.
    pub claim: ClaimId,
    /// Which delivery.
    pub index: u16,
    /// What became of it.
    pub settled: Settled,
    /// The relay's words, or another reason in words.
    pub detail: String,
}

/// What becomes of a delivery in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores match every one")]
pub enum Settled {
    /// The relay has taken it.
    Sent,
    /// It is given up.
    Failed(Failure),
    /// It is tried again, after this wait, at the cost of an attempt; given up, if the policy has no further attempt.
    Retry {
        /// The wait that the relay asked for. None: the policy's next one.
        after: Option<Duration>,
    },
    /// Back to its place: not started, or started and known not to have reached `MAIL FROM`. Its token comes back.
    NotStarted,
    /// Back to its place, at no cost of an attempt; its token is spent.
    Returned,
    /// The same, for it has met trouble at the relay, or has made it. While nobody gets through it is tried again a moment
    /// later than others are, so that they show whether the relay works. The third time that the relay has taken others
    /// since the mail began or was last in trouble, it is a [`Retry`](Self::Retry): what it meets is its own doing.
    Troubled,
    /// Nobody knows whether it was sent.
    Unknown {
        /// What now.
        rule: OnUnknown,
    },
    /// The composer wants no mail for this recipient.
    Skipped,
    /// The address is suppressed.
    Suppressed,
}

/// Closes a scope for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Defer {
    /// What waits.
    pub scope: Scope,
    /// Which lane of it; all, if none is named.
    pub lane: Option<Lane>,
    /// Why.
    pub reason: Reason,
    /// For how long.
    pub wait: Wait,
    /// What else is to be known.
    pub detail: Option<String>,
    /// Nothing is deferred if the scope (a relay) has taken a mail after this instant.
    pub unless_sent_since: Option<DateTime<Utc>>,
    /// Nothing is deferred if the policy is of a later version.
    pub policy_version: Option<u64>,
}

/// How long a [`Defer`] lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores match every one")]
pub enum Wait {
    /// From the store's now on.
    For(Duration),
    /// Until an instant of the store's clock.
    Until(DateTime<Utc>),
    /// The policy's delay after relay trouble.
    AfterTrouble,
    /// Until it is resumed or the policy changes.
    Open,
}

/// Stops a campaign: somebody must act.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Halt {
    /// Which.
    pub stream: StreamId,
    /// Why.
    pub cause: HaltCause,
    /// The relay's words, or what else is to be known.
    pub detail: String,
    /// Nothing is halted if the campaign's relay has taken a mail after this instant: it works for others.
    pub unless_sent_since: Option<DateTime<Utc>>,
}

/// What the store says to a settle call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct SettleReply {
    /// One result per settlement, in their order.
    pub results: Vec<SettleResult>,
    /// The deferral that holds after each [`Defer`], if one does.
    pub deferrals: Vec<Option<Deferral>>,
    /// Campaigns that these settlements have halted, because the relay blocks too much of what they send.
    pub halted: Vec<Halt>,
    /// The store's clock.
    pub server_now: DateTime<Utc>,
}

/// What a settlement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every one")]
pub enum SettleResult {
    /// The ledger has changed.
    Applied,
    /// It was settled before: nothing changed.
    Repeated,
    /// The claim is not the caller's any more: nothing changed.
    Stale,
    /// The claim is not the caller's any more, but the delivery was in doubt about this very attempt: resolved.
    Resolved,
}
