//! What happens, told to who wants to know.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

use crate::domain::Deferral;
use crate::queue::StreamId;

/// Hears of what a worker does: for logs, metrics and tests. Never for decisions.
///
/// # Contract
/// Called in the worker's own loop: it must not block, and what it is told may be lost in a crash.
pub trait Observer: Debug + Send + Sync {
    /// Something has happened at `now`, by the worker's clock.
    fn on(&self, now: DateTime<Utc>, event: &Event);
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A page was leased.
    Claimed {
        /// Of which stream.
        stream: StreamId,
        /// How many deliveries.
        count: usize,
    },
    /// The gate let a delivery begin: its tokens are taken.
    Begun {
        /// Of which stream.
        stream: StreamId,
        /// Which delivery.
        key: String,
    },
    /// A transport has reported on a delivery.
    Finished {
        /// Of which stream.
        stream: StreamId,
        /// Which delivery.
        key: String,
        /// The code of the outcome.
        outcome: &'static str,
    },
    /// A scope waits.
    Deferred(Deferral),
    /// A stream has stopped; somebody must act.
    Halted {
        /// Which stream.
        stream: StreamId,
        /// The code of the cause.
        cause: String,
        /// The relay's words.
        detail: String,
    },
    /// No connection to a relay.
    ConnectFailed {
        /// Which relay.
        relay: String,
        /// The relay's words, or the error.
        detail: String,
    },
    /// A call of the store failed; it will be repeated.
    StoreFailed {
        /// The error in words.
        detail: String,
    },
}
