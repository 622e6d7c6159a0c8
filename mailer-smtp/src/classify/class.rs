use std::time::Duration;

use mailer_core::domain::{HaltCause, Outcome};
use mailer_core::transport::ConnectError;

/// What a reply, or the lack of one, makes of a mail or of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The step succeeded: after the final dot, the mail is sent.
    Accepted,
    /// See [`Outcome::PermanentRecipient`].
    PermanentRecipient,
    /// See [`Outcome::PermanentMessage`].
    PermanentMessage,
    /// See [`Outcome::PolicyBlock`].
    PolicyBlock,
    /// See [`Outcome::PermanentConfig`].
    PermanentConfig(HaltKind),
    /// See [`Outcome::TransientRecipient`].
    TransientRecipient,
    /// See [`Outcome::TransientRelay`].
    TransientRelay,
    /// The relay did not understand what we wrote: trouble that passes, unless it comes again.
    Misunderstood,
    /// See [`Outcome::RelayLimited`].
    RelayLimited,
    /// See [`Outcome::Unknown`].
    Unknown,
}

/// The halt causes that a relay can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HaltKind {
    Credentials,
    Sender,
    Tls,
    Missing,
}

impl Class {
    /// The outcome of a mail for which the relay found these words.
    pub(crate) fn outcome(self, reply: String, retry_after: Option<Duration>) -> Outcome {
        match self {
            Self::Accepted => Outcome::Sent { reply },
            Self::PermanentRecipient => Outcome::PermanentRecipient { reply },
            Self::PermanentMessage => Outcome::PermanentMessage { reply },
            Self::PolicyBlock => Outcome::PolicyBlock { reply },
            Self::PermanentConfig(kind) => Outcome::PermanentConfig {
                cause: kind.cause(),
                reply,
            },
            Self::TransientRecipient => Outcome::TransientRecipient { reply, retry_after },
            Self::TransientRelay | Self::Misunderstood => Outcome::TransientRelay { reply },
            Self::RelayLimited => Outcome::RelayLimited { reply, retry_after },
            Self::Unknown => Outcome::Unknown { reply },
        }
    }

    /// The error of a connection that was refused with these words.
    pub(crate) fn connect_error(
        self,
        reply: String,
        retry_after: Option<Duration>,
    ) -> ConnectError {
        match self {
            Self::PermanentConfig(kind) => ConnectError::Config {
                cause: kind.cause(),
                reply,
            },
            Self::RelayLimited => ConnectError::Limited { reply, retry_after },
            // The others never come before `MAIL FROM`.
            Self::TransientRelay
            | Self::Accepted
            | Self::PermanentRecipient
            | Self::PermanentMessage
            | Self::PolicyBlock
            | Self::TransientRecipient
            | Self::Misunderstood
            | Self::Unknown => ConnectError::Transient { reply },
        }
    }
}

impl HaltKind {
    pub(crate) fn cause(self) -> HaltCause {
        match self {
            Self::Credentials => HaltCause::BadCredentials,
            Self::Sender => HaltCause::SenderRefused,
            Self::Tls => HaltCause::TlsRefused,
            Self::Missing => HaltCause::RelayMissing,
        }
    }
}
