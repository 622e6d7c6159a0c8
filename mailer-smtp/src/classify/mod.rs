//! What a reply, or the lack of one, means: one pure function per question, each row of it from RFC 5321, RFC 3463 and
//! what large relays say.

mod class;
mod connect;
mod setup;
mod stage;
mod transaction;
mod wait;
mod words;

use std::time::Duration;

use mailer_core::domain::Outcome;
use mailer_core::transport::ConnectError;

use crate::reply::Reply;

pub(crate) use class::{Class, HaltKind};
pub(crate) use connect::{Unreached, classify_connect, classify_lookup};
pub(crate) use stage::Stage;

/// What a signal of the relay means: for the mail, and for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) class: Class,
    /// How long to wait at least: as the relay said, or as refusals of this kind need.
    pub(crate) wait: Option<Duration>,
    pub(crate) connection: Connection,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The next command can follow at once.
    Keep,
    /// The transaction is given up first.
    Reset,
    /// It is not used any further: the relay closes it, or the two sides no longer agree on where in the protocol they are.
    Close,
    /// The relay does not know `EHLO`: the reply to `HELO` decides.
    Helo,
}

/// What a reply means at a stage. Total: every stage and every code has exactly one verdict.
///
#[doc = include_str!("table.md")]
pub(crate) fn classify(stage: Stage, reply: Reply<'_>) -> Verdict {
    let class = match stage {
        Stage::Greeting | Stage::Ehlo | Stage::Helo => setup::greeting(reply),
        Stage::StartTls => setup::start_tls(reply),
        Stage::Auth => setup::auth(reply),
        Stage::Mail => transaction::mail(reply),
        Stage::Rcpt => transaction::rcpt(reply),
        Stage::Data => transaction::data(reply),
        Stage::Body => transaction::body(reply),
        Stage::Dot => transaction::dot(reply),
    };
    Verdict {
        class,
        wait: wait::wait(class, reply),
        connection: connection(stage, reply, class),
    }
}

/// What it means that no (parsable) reply came: the end of the stream, a reset, a deadline, garbage.
///
/// Unknown exactly if the final dot may have left; before that nothing can have been accepted.
pub(crate) fn classify_silence(stage: Stage) -> Verdict {
    let class = match stage {
        Stage::Dot => Class::Unknown,
        Stage::Greeting
        | Stage::Ehlo
        | Stage::Helo
        | Stage::StartTls
        | Stage::Auth
        | Stage::Mail
        | Stage::Rcpt
        | Stage::Data
        | Stage::Body => Class::TransientRelay,
    };
    Verdict {
        class,
        wait: None,
        connection: Connection::Close,
    }
}

fn connection(stage: Stage, reply: Reply<'_>, class: Class) -> Connection {
    match (stage, reply.code()) {
        (Stage::Ehlo, 500 | 502 | 504) => Connection::Helo,
        _ if class == Class::Accepted => Connection::Keep,
        (Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Dot, ..400 | 421) => Connection::Close,
        (Stage::Mail | Stage::Rcpt | Stage::Data, _) => match class {
            Class::Misunderstood => Connection::Close,
            _ => Connection::Reset,
        },
        (Stage::Dot, _) => Connection::Keep,
        (
            Stage::Greeting
            | Stage::Ehlo
            | Stage::Helo
            | Stage::StartTls
            | Stage::Auth
            | Stage::Body,
            _,
        ) => Connection::Close,
    }
}

impl Verdict {
    /// The outcome of a mail for which the relay found these words.
    pub(crate) fn outcome(self, words: String) -> Outcome {
        self.class.outcome(words, self.wait)
    }

    /// The error of a connection that was refused with these words.
    pub(crate) fn connect_error(self, words: String) -> ConnectError {
        self.class.connect_error(words, self.wait)
    }
}

#[cfg(test)]
mod tests;
