use std::time::Instant;

use super::Reply;

/// A connection the server has seen.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its number, from 1, in the order of acceptance.
    pub number: u64,
    /// When it was accepted.
    pub opened_at: Instant,
    /// When it ended, if it has.
    pub closed_at: Option<Instant>,
    /// Whether it went over TLS.
    pub tls: bool,
    /// The user it authenticated as.
    pub user: Option<String>,
}

/// A line the client sent outside a body.
#[derive(Debug, Clone)]
pub struct Command {
    /// The connection's number.
    pub connection: u64,
    /// How many reads from the socket it took on this connection until the line was complete: lines sent in one
    /// segment usually share the number.
    pub read: u64,
    /// When it was read.
    pub at: Instant,
    /// The line without its line end.
    pub line: String,
}

/// A mail transaction, from an accepted `MAIL` on.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The connection's number.
    pub connection: u64,
    /// The address in `MAIL FROM`, empty for the null sender.
    pub from: String,
    /// The parameters after it, as sent.
    pub parameters: String,
    /// The recipients that were accepted.
    pub to: Vec<String>,
    /// The recipients that were refused.
    pub refused: Vec<String>,
    /// The body with dot-stuffing undone; it ends with the line end before the final dot.
    pub body: Vec<u8>,
    /// When it ended: for a mail, when its final dot was read.
    pub at: Instant,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The final dot was answered.
    Answered(Reply),
    /// The final dot arrived and no whole reply was sent: the client cannot know.
    Unanswered,
    /// No final dot arrived.
    Abandoned,
}

impl Transaction {
    /// Whether the server may have delivered the mail: the final dot arrived and was not refused.
    #[must_use]
    pub fn is_mail(&self) -> bool {
        match &self.outcome {
            Outcome::Answered(reply) => reply.is_positive(),
            Outcome::Unanswered => true,
            Outcome::Abandoned => false,
        }
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
