//! One mail on a connection, from `MAIL FROM` to the relay's last word about it.

mod body;
mod envelope;

use mailer_core::domain::Outcome;
use mailer_core::transport::InFlight;

use crate::classify::{Stage, classify, classify_silence, ends_connection};
use crate::dial::{Line, ask};
use crate::mail::Mail;
use crate::relay::Relay;
use crate::reply::Reply;
use crate::time_limits::TimeLimits;
use crate::wire::Fault;

/// What became of a mail, and what is to be done with its connection.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) after: After,
}

/// What is to be done with a connection after a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The next mail can follow at once.
    Keep,
    /// The transaction is to be given up first.
    Reset,
    /// It should not be used any further.
    Close,
}

/// The connection was gone before the relay said anything about this mail. It may be sent on another one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stale;

/// Sends one mail. Whether the connection is `kept` from another mail decides if it can be stale.
pub(crate) async fn transact(
    line: &mut Line,
    mail: &Mail,
    flight: &InFlight,
    limits: &TimeLimits,
    is_kept: bool,
) -> Result<Done, Stale> {
    match envelope::send(line, mail, limits, is_kept).await? {
        envelope::Answer::Go => Ok(body::send(&mut line.wire, mail, flight, limits).await),
        envelope::Answer::Done(done) => Ok(done),
    }
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
fn told(stage: Stage, reply: Reply<'_>, after: After) -> Done {
    Done {
        outcome: classify(stage, reply).outcome(reply.text(), reply.retry_after()),
        after: if ends_connection(stage, reply) {
            After::Close
        } else {
            after
        },
    }
}

/// What the lack of a reply to this stage makes of it.
fn silent(stage: Stage, fault: &Fault) -> Done {
    Done {
        outcome: classify_silence(stage).outcome(format!("{stage}: {fault}"), None),
        after: After::Close,
    }
}
