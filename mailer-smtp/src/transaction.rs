//! One mail on a connection, from `MAIL FROM` to the relay's last word about it.

pub(crate) mod body;
pub(crate) mod envelope;

use mailer_core::domain::Outcome;

use crate::classify::{Class, Connection, Stage, Verdict, classify, classify_silence};
use crate::dial::{Line, ask};
use crate::relay::Relay;
use crate::reply::Reply;
use crate::wire::Fault;

/// What became of a mail, and what is to be done with its connection.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) connection: Connection,
    /// The relay did not understand what we wrote. If not for the first time, somebody must act.
    pub(crate) is_misunderstood: bool,
}

/// The relay has said nothing about this mail, and it may be sent on another connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stale {
    /// The connection was gone before.
    Closed,
    /// The relay does not answer an envelope that came behind a dot: it may have thrown it away with what else it had read.
    Swallowed,
}

/// How a mail finds its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It is the first.
    Fresh,
    /// Others went before it: the relay may have closed it meanwhile.
    Kept,
    /// The same, and the relay has refused the last: each command waits for the reply to the one before. For one recipient
    /// that it refuses it would count two errors, the other for the `DATA` that came along.
    AfterRefusal,
    /// It is kept, too, and its envelope has left behind the dot of the mail before.
    Behind,
}

impl Line {
    /// Gives the transaction up (RFC 5321 section 4.1.1.5); whether the connection can be used after it.
    pub(crate) async fn reset(&mut self, relay: &Relay) -> bool {
        let limit = relay.settings.limits.command;
        let reply = ask(&mut self.wire, b"RSET\r\n", limit).await;
        reply.is_ok_and(Reply::is_positive)
    }
}

/// What a reply to this stage makes of the mail.
fn told(stage: Stage, reply: Reply<'_>) -> Done {
    Done::new(classify(stage, reply), reply.text())
}

/// What the lack of a reply to this stage makes of it.
pub(crate) fn silent(stage: Stage, fault: &Fault) -> Done {
    Done::new(classify_silence(stage), format!("{stage}: {fault}"))
}

impl Done {
    fn new(verdict: Verdict, words: String) -> Self {
        Self {
            outcome: verdict.outcome(words),
            connection: verdict.connection,
            is_misunderstood: verdict.class == Class::Misunderstood,
        }
    }

    /// What became of a mail for another reason than the relay's words; the connection is not used any further.
    pub(crate) fn closing(outcome: Outcome) -> Self {
        Self {
            outcome,
            connection: Connection::Close,
            is_misunderstood: false,
        }
    }

    /// The same, and the connection is not used any further.
    fn and_closed(self) -> Self {
        Self {
            connection: Connection::Close,
            ..self
        }
    }
}
