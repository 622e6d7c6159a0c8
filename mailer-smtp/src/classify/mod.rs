//! What a reply, or the lack of one, means: one pure function per question, each row of it from RFC 5321, RFC 3463 and
//! what large relays say.

mod setup;
mod transaction;
mod words;

use std::fmt;
use std::time::Duration;

use mailer_core::domain::{HaltCause, Outcome};
use mailer_core::transport::ConnectError;

use crate::reply::Reply;

/// The step of a session that a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The first words of the relay.
    Greeting,
    /// `EHLO` or `HELO`.
    Hello,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH` and its continuation lines.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`.
    Data,
    /// The body, before its final dot has left; a reply here comes unasked.
    Body,
    /// The final dot.
    Dot,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Body => "body",
            Self::Dot => "final dot",
        })
    }
}

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The step succeeded: after [`Stage::Dot`], the mail is sent.
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
    /// See [`Outcome::RelayLimited`].
    RelayLimited,
    /// See [`Outcome::Unknown`].
    Unknown,
}

/// The halt causes that a relay's reply can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HaltKind {
    Credentials,
    Sender,
    Tls,
}

/// What a reply means at a stage. Total: every stage and every code has exactly one class.
///
/// Rows are read from the top, the first that fits counts. `x.y.z` are enhanced codes; one that contradicts the three
/// digits is ignored.
///
/// | Stage | Reply | Class |
/// |---|---|---|
/// | any | 3yz out of place | transient relay; after the dot unknown |
/// | greeting, hello | 421 or 4yz with 4.7.z, 4.3.2 or words about rates | relay limited |
/// | greeting, hello | other 4yz | transient relay |
/// | greeting, hello | 5yz | config: sender |
/// | STARTTLS | 4yz / 5yz | transient relay / config: TLS |
/// | AUTH | 4yz / 5yz | transient relay / config: credentials |
/// | MAIL to body | 421 with 4.7.z or words about rates / other 421 | relay limited / transient relay |
/// | MAIL | 4.7.z / other 4yz | relay limited / transient relay |
/// | MAIL | 530, 538 | config: TLS if it speaks of TLS, else credentials |
/// | MAIL | 552, 5.3.4 | permanent message |
/// | MAIL | 5.1.7, 5.1.8, 5.7.z | config: sender |
/// | MAIL | 500 to 504, 555 (what we wrote was not understood) | transient relay |
/// | MAIL | other 5yz | config: sender |
/// | RCPT | 4.2.1, 4.2.2; 450 or 451 with 4.7.1; "greylist" | transient recipient |
/// | RCPT | 452 with 4.5.3; 4.7.28; other 4.7.z with words about rates; 4.3.2 | relay limited |
/// | RCPT | other 4yz | transient recipient |
/// | RCPT | 530, 538; "relay access denied" and the like | config: credentials, TLS or sender |
/// | RCPT | 5.2.2, 552 (RFC 5321, 4.5.3.1.10) | transient recipient |
/// | RCPT | 550, 551, 553 with 5.1.1, 5.1.2, 5.1.3, 5.1.6, 5.1.10, 5.2.1 | permanent recipient |
/// | RCPT | 550 without enhanced code and without words about policy | permanent recipient |
/// | RCPT | 5.7.z, words about policy | policy block |
/// | RCPT | 5.6.7, other 5.1.z and 5.2.z | permanent recipient |
/// | RCPT | 500 to 504, 555 without enhanced code 5.1.z | transient relay |
/// | RCPT | other 5yz | policy block |
/// | DATA | 2yz | transient relay |
/// | DATA, body | 4.7.z / other 4yz | relay limited / transient relay |
/// | DATA, body | 500 to 504 | transient relay |
/// | body | 552, 5.3.4, 5.6.z | permanent message |
/// | DATA, body | other 5yz | policy block |
/// | dot | 2yz | **sent** |
/// | dot | 4.7.z; 421 with words about rates | relay limited |
/// | dot | 421, 4.3.z | transient relay |
/// | dot | other 4yz | transient recipient |
/// | dot | 5.1.z | permanent recipient |
/// | dot | 552, 5.3.4, 5.6.z | permanent message |
/// | dot | other 5yz | policy block |
pub(crate) fn classify(stage: Stage, reply: Reply<'_>) -> Class {
    match stage {
        Stage::Greeting | Stage::Hello => setup::greeting(reply),
        Stage::StartTls => setup::start_tls(reply),
        Stage::Auth => setup::auth(reply),
        Stage::Mail => transaction::mail(reply),
        Stage::Rcpt => transaction::rcpt(reply),
        Stage::Data => transaction::data(reply),
        Stage::Body => transaction::body(reply),
        Stage::Dot => transaction::dot(reply),
    }
}

/// What it means that no (parsable) reply came: the end of the stream, a reset, a deadline, garbage.
///
/// Unknown exactly if the final dot may have left; before that nothing can have been accepted.
pub(crate) fn classify_silence(stage: Stage) -> Class {
    match stage {
        Stage::Dot => Class::Unknown,
        Stage::Greeting
        | Stage::Hello
        | Stage::StartTls
        | Stage::Auth
        | Stage::Mail
        | Stage::Rcpt
        | Stage::Data
        | Stage::Body => Class::TransientRelay,
    }
}

/// Whether the connection should not be used after this reply: the relay closes it, or the two sides no longer agree on
/// where in the protocol they are.
pub(crate) fn ends_connection(stage: Stage, reply: Reply<'_>) -> bool {
    match reply.code() {
        421 => true,
        code @ 200..400 => code / 100 != if stage == Stage::Data { 3 } else { 2 },
        500..=504 | 555 => stage != Stage::Dot,
        _ => stage == Stage::Body,
    }
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
            Self::TransientRelay => Outcome::TransientRelay { reply },
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
        }
    }
}

#[cfg(test)]
mod tests;
