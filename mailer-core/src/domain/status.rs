//! What a campaign is doing, why it waits, and when it goes on.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::CampaignId;

/// The answer to a poll. Its JSON names are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// Which campaign.
    pub campaign: CampaignId,
    /// What it is doing.
    pub state: CampaignState,
    /// The code of a [`Reason`](super::Reason) or [`HaltCause`](super::HaltCause), if it waits or has stopped.
    pub reason_code: Option<String>,
    /// The same in words.
    pub reason_text: Option<String>,
    /// What else is to be known: what moved the next run, or the relay's words.
    pub detail: Option<String>,
    /// When it goes on by itself.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Since when it has been in this wait.
    pub since: Option<DateTime<Utc>>,
    /// The version of the policy in force; 0 where there is none.
    pub policy_version: u64,
    /// How many recipients are in which state.
    pub counts: Counts,
    /// When its recipients were all stored.
    pub submitted_at: Option<DateTime<Utc>>,
    /// When its first mail began.
    pub started_at: Option<DateTime<Utc>>,
    /// When its last delivery became final, or it was cancelled.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What a campaign is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CampaignState {
    /// Its recipients are not all stored yet; nothing is sent.
    Draft,
    /// Nothing hinders it, and nothing has begun yet.
    Queued,
    /// Mails begin.
    Sending,
    /// It waits, and goes on by itself.
    Deferred,
    /// Somebody paused it.
    Paused,
    /// It stopped itself; somebody must act.
    Halted,
    /// Somebody cancelled it.
    Cancelled,
    /// Every delivery is final.
    Completed,
}

impl CampaignState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::Queued,
        Self::Sending,
        Self::Deferred,
        Self::Paused,
        Self::Halted,
        Self::Cancelled,
        Self::Completed,
    ];

    /// The name, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Deferred => "deferred",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }

    /// Whether it never changes again by itself. Only the host leads out, by sending an unknown mail again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed)
    }
}

impl fmt::Display for CampaignState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many recipients are in which state. Each is counted once, so all together are `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the states of a delivery")]
#[expect(clippy::exhaustive_structs, reason = "tests and stores build it")]
pub struct Counts {
    pub total: u64,
    pub pending: u64,
    pub in_flight: u64,
    pub sent: u64,
    pub failed: u64,
    pub retrying: u64,
    pub unknown: u64,
    pub suppressed: u64,
    pub skipped: u64,
    pub expired: u64,
    pub cancelled: u64,
}

impl Counts {
    /// Those whose fate is still open.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.pending + self.in_flight + self.retrying
    }

    /// The sum over all states, which is `total` at every instant.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.open()
            + self.sent
            + self.failed
            + self.unknown
            + self.suppressed
            + self.skipped
            + self.expired
            + self.cancelled
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} sent", self.sent, self.total)?;
        for (count, name) in [
            (self.in_flight, "in flight"),
            (self.retrying, "to be tried again"),
            (self.failed, "failed"),
            (self.unknown, "unknown"),
            (self.suppressed, "suppressed"),
            (self.skipped, "skipped"),
            (self.expired, "expired"),
            (self.cancelled, "cancelled"),
        ] {
            if count > 0 {
                write!(f, ", {count} {name}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.campaign, self.state)?;
        if let Some(code) = &self.reason_code {
            write!(f, ": {code}")?;
        }
        if let Some(at) = self.next_run_at {
            write!(
                f,
                ", next run {}",
                at.to_rfc3339_opts(SecondsFormat::Secs, true)
            )?;
        }
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        write!(f, ", {}", self.counts)
    }
}
