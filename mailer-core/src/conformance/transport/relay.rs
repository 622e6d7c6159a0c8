use std::fmt::Debug;
use std::sync::Arc;

use crate::transport::Transport;

/// A relay that misbehaves as it is told, what it has seen, and a transport to it.
///
/// The transport should have short deadlines, so that silence is over within seconds.
pub trait Relay: Debug + Send + Sync {
    /// A transport to it, with at most four connections.
    fn transport(&self) -> Arc<dyn Transport>;

    /// The recipients of the mails it may have delivered: their final dot arrived and was not refused. In order.
    fn mails(&self) -> Vec<String>;

    /// How many mails were begun: `MAIL FROM` arrived.
    fn begun(&self) -> usize;

    /// How many connections there were.
    fn connections(&self) -> usize;

    /// How many there were at the same time.
    fn peak(&self) -> usize;
}

/// How a [`Relay`] misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a relay must know every one")]
pub enum Fault {
    /// Not at all.
    None,
    /// It refuses this recipient for good, in words that say that the address does not exist.
    RefusesRecipient(&'static str),
    /// It refuses the message of this recipient after the final dot, by its policy.
    RefusesMessage(&'static str),
    /// It closes the connection when it has the first final dot, without a word.
    ClosesAfterDot,
    /// It closes the connection instead of answering `DATA`.
    ClosesBeforeBody,
    /// It breaks the connection near the start of every body.
    BreaksInBody,
    /// It closes the first connection after one mail: at the second `MAIL FROM`, without a word.
    ClosesKept,
    /// It accepts connections and says nothing.
    NoGreeting,
    /// It never answers a final dot.
    NoVerdict,
}
