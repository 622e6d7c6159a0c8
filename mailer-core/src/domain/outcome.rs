//! What became of one attempt to send, and of one delivery.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::HaltCause;

/// What became of one attempt to send: sent, not sent, or unknown.
///
/// A transport decides this from the stage and the relay's words; `reply` keeps the words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The relay has taken it.
    Sent {
        /// The relay's words, often with its queue id.
        reply: String,
    },
    /// Known not to have reached `MAIL FROM`: free, and its tokens come back.
    NotStarted,
    /// The address does not exist: this delivery has failed, and the address should be suppressed.
    PermanentRecipient {
        /// The relay's words.
        reply: String,
    },
    /// The relay refuses this mail for what it is (its size, its form): failed, the address is fine.
    PermanentMessage {
        /// The relay's words.
        reply: String,
    },
    /// The relay refuses this mail by its policy: failed, the address is fine. Too many of them, and of
    /// [`PermanentMessage`](Self::PermanentMessage), halt the campaign.
    PolicyBlock {
        /// The relay's words.
        reply: String,
    },
    /// Nothing of this kind can be sent until somebody acts: halts the campaign.
    PermanentConfig {
        /// What is wrong.
        cause: HaltCause,
        /// The relay's words.
        reply: String,
    },
    /// The relay refuses this recipient for now: tried again later, at the cost of an attempt.
    TransientRecipient {
        /// The relay's words.
        reply: String,
        /// The least wait: what the relay asked for, or what a refusal of this kind commonly needs. The policy's own, if
        /// it is longer.
        retry_after: Option<Duration>,
    },
    /// The relay has trouble: defers the relay, costs no attempt.
    TransientRelay {
        /// The relay's words, or the error of the connection.
        reply: String,
    },
    /// The relay asks for patience: defers the relay, costs no attempt.
    RelayLimited {
        /// The relay's words.
        reply: String,
        /// The wait that the relay asked for, if it named one.
        retry_after: Option<Duration>,
    },
    /// The final dot may have left, and no reply was read.
    Unknown {
        /// What happened.
        reply: String,
    },
}

impl Outcome {
    /// The stable code of the class.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::NotStarted => "not_started",
            Self::PermanentRecipient { .. } => "permanent_recipient",
            Self::PermanentMessage { .. } => "permanent_message",
            Self::PolicyBlock { .. } => "policy_block",
            Self::PermanentConfig { .. } => "permanent_config",
            Self::TransientRecipient { .. } => "transient_recipient",
            Self::TransientRelay { .. } => "transient_relay",
            Self::RelayLimited { .. } => "relay_limited",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// What becomes of a mail of which nobody knows whether it was sent.
///
/// ```
/// use mailer_core::domain::OnUnknown;
///
/// assert_eq!("resend".parse(), Ok(OnUnknown::Resend));
/// assert_eq!(OnUnknown::default(), OnUnknown::AssumeSent);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "callers match every rule")]
pub enum OnUnknown {
    /// It is not sent again: at most once. It stays counted as unknown.
    #[default]
    AssumeSent,
    /// It is sent again, with the same Message-ID and Date, after the longest deadline of the first try: at least once.
    Resend,
    /// It stays unknown until the host decides.
    Hold,
}

/// The rule's name is none of `assume-sent`, `resend`, `hold`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule {0:?}: write assume-sent, resend or hold")]
pub struct OnUnknownError(String);

impl std::str::FromStr for OnUnknown {
    type Err = OnUnknownError;

    fn from_str(text: &str) -> Result<Self, OnUnknownError> {
        match text {
            "assume-sent" => Ok(Self::AssumeSent),
            "resend" => Ok(Self::Resend),
            "hold" => Ok(Self::Hold),
            _ => Err(OnUnknownError(text.to_owned())),
        }
    }
}

/// Why a delivery has failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// The relay says that the address does not exist.
    Recipient,
    /// The relay refuses the mail for what it is.
    Message,
    /// The relay refuses the mail by its policy.
    PolicyBlock,
    /// Transient refusals of this recipient until the last attempt.
    Attempts,
    /// The mail could not be composed.
    Compose,
    /// Nothing can be sent until somebody acts on the settings.
    Config,
    /// Three workers died while they had it in hand.
    CrashLoop,
}

impl Failure {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Message => "message",
            Self::PolicyBlock => "policy_block",
            Self::Attempts => "attempts",
            Self::Compose => "compose",
            Self::Config => "config",
            Self::CrashLoop => "crash_loop",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
