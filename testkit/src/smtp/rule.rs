use std::time::Duration;

use super::Reply;

/// One line of the server's script: what to match, and what to do then.
///
/// Rules are read in order. [`delay`](Self::delay), [`hear_more`](Self::hear_more) and [`cut_after`](Self::cut_after) do
/// their part and let the next rules speak; every other action ends the reading. With no rule left the server behaves well. A rule counts only the
/// events that reach it, and only commands in the right sequence reach the script at all.
///
/// ```
/// use std::time::Duration;
/// use testkit::{Rule, Stage};
///
/// let unknown_user = Rule::at(Stage::Rcpt).to("bad@x.example").reply(550, "5.1.1 no such user");
/// let second_mail_lost = Rule::at(Stage::Dot).nth(2).cut();
/// let slow_start = Rule::at(Stage::Ehlo).first(3).per_connection().delay(Duration::from_millis(50));
/// let dies_mid_body = Rule::at(Stage::Body(1_000)).on_connection(1).reset();
/// # drop((unknown_user, second_mail_lost, slow_start, dies_mid_body));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Rule {
    pub(super) stage: Stage,
    pub(super) recipient: Option<String>,
    pub(super) connection: Option<u64>,
    pub(super) occurrence: Occurrence,
    pub(super) per_connection: bool,
    pub(super) action: Action,
}

/// Where in a session a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// A TLS handshake is about to begin; a reply here is sent in clear text.
    Tls,
    /// Instead of the greeting.
    Connect,
    /// `EHLO`.
    Ehlo,
    /// `HELO`.
    Helo,
    /// `STARTTLS`; a reply other than 220 leaves the connection in clear text.
    StartTls,
    /// The `AUTH` command; a reply stands for the whole exchange, a 2xx one lets the client in.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`; a 354 reply starts the body even when no recipient was accepted.
    Data,
    /// This many bytes of the body, as sent, were read (0: none yet); a reply goes out early and reading goes on.
    Body(usize),
    /// After the final dot.
    Dot,
    /// `RSET`; the transaction is gone whatever the reply.
    Rset,
    /// `NOOP`.
    Noop,
    /// `QUIT`; a scripted reply leaves the connection open.
    Quit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    Any,
    Nth(u64),
    First(u64),
    From(u64),
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Delay(Duration),
    Hear,
    CutAfter(usize),
    Reply(Reply),
    End(Ending),
}

/// How a connection ends without a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Cut,
    Stall,
    Reset,
    HalfClose,
}

impl Rule {
    /// A rule for every event at this stage; it replies `451 4.3.0` until an action is chosen.
    pub fn at(stage: Stage) -> Self {
        Self {
            stage,
            recipient: None,
            connection: None,
            occurrence: Occurrence::Any,
            per_connection: false,
            action: Action::Reply(Reply::new(451, "4.3.0 scripted")),
        }
    }

    /// Only for this recipient (letter case aside): the one being named at [`Stage::Rcpt`], one of the accepted ones
    /// from [`Stage::Data`] on.
    pub fn to(mut self, recipient: &str) -> Self {
        self.recipient = Some(recipient.to_owned());
        self
    }

    /// Only on the server's connection with this number, counted from 1.
    pub fn on_connection(mut self, number: u64) -> Self {
        self.connection = Some(number);
        self
    }

    /// Only the `n`th match, counted from 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.occurrence = Occurrence::Nth(n);
        self
    }

    /// Only the first `n` matches.
    pub fn first(mut self, n: u64) -> Self {
        self.occurrence = Occurrence::First(n);
        self
    }

    /// The `n`th match, counted from 1, and all later ones.
    pub fn from_nth(mut self, n: u64) -> Self {
        self.occurrence = Occurrence::From(n);
        self
    }

    /// Counts matches on each connection anew instead of over the server's life.
    pub fn per_connection(mut self) -> Self {
        self.per_connection = true;
        self
    }

    /// Answers with this code and text; each line of the text is a line of the reply. A 421 closes the connection.
    pub fn reply(self, code: u16, text: &str) -> Self {
        self.act(Action::Reply(Reply::new(code, text)))
    }

    /// Answers with these bytes, whatever they are: odd line ends, other encodings, garbage.
    pub fn reply_raw(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.act(Action::Reply(Reply::raw(bytes)))
    }

    /// Waits, then lets the next rules speak.
    pub fn delay(self, length: Duration) -> Self {
        self.act(Action::Delay(length))
    }

    /// Waits until the client has said more, then lets the next rules speak. Who waits for the answer waits for ever.
    pub fn hear_more(self) -> Self {
        self.act(Action::Hear)
    }

    /// Closes the connection without a reply.
    pub fn cut(self) -> Self {
        self.act(Action::End(Ending::Cut))
    }

    /// Closes the connection after `n` bytes of the reply that the next rules or the good behaviour give.
    pub fn cut_after(self, n: usize) -> Self {
        self.act(Action::CutAfter(n))
    }

    /// Never answers and never reads again, with the connection open.
    pub fn stall(self) -> Self {
        self.act(Action::End(Ending::Stall))
    }

    /// Breaks the connection with a TCP reset.
    pub fn reset(self) -> Self {
        self.act(Action::End(Ending::Reset))
    }

    /// Closes the server's own direction and goes on reading, without answering.
    pub fn half_close(self) -> Self {
        self.act(Action::End(Ending::HalfClose))
    }

    fn act(mut self, action: Action) -> Self {
        self.action = action;
        self
    }
}
