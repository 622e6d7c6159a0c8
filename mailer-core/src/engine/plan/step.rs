//! What goes in and out of a plan.

use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::composer::{ComposeError, Composed};
use crate::domain::{Deferral, Email, Letter, Record, RelayName};
use crate::gate::{BeginBatch, BeginReply};
use crate::queue::{
    ClaimReply, ClaimRequest, Defer, Halt, SettleReply, Settlement, Tick, TickReply,
};
use crate::transport::Report;

/// What the driver carries out.
#[derive(Debug)]
pub(crate) enum Step {
    Tick(Tick),
    Claim(ClaimRequest),
    Compose(Compose),
    Connect {
        relay: RelayName,
        connection: u64,
    },
    Begin(BeginBatch),
    Send(Box<Send>),
    Settle(Verdicts),
    Halt(Halt),
    Fail(Failing),
    /// Lets an idle connection go.
    Close {
        connection: u64,
    },
}

/// Mails to be made.
#[derive(Debug)]
pub(crate) struct Compose {
    pub(crate) letter: Arc<Letter>,
    pub(crate) flights: Vec<u64>,
    pub(crate) records: Vec<Record>,
}

/// A mail for a connection.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) connection: u64,
    pub(crate) flight: u64,
    pub(crate) send_by: Duration,
    pub(crate) dot_by: Duration,
    pub(crate) email: Email,
}

/// Mails that fail, if their relay comes to wait.
#[derive(Debug)]
pub(crate) struct Failing {
    pub(crate) flights: Vec<u64>,
    pub(crate) defer: Defer,
}

/// What the ledger is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts {
    pub(crate) settlements: Vec<Settlement>,
    pub(crate) defers: Vec<Defer>,
}

/// What has happened.
#[derive(Debug)]
pub(crate) enum Input {
    Ticked(Answer<TickReply>),
    Claimed(Answer<ClaimReply>),
    Composed {
        letter: Arc<Letter>,
        flights: Vec<u64>,
        result: Result<Vec<Composed>, ComposeError>,
    },
    Began(Answer<BeginReply>),
    Settled(Answer<SettleReply>),
    Halted(Halt, Result<bool, Error>),
    Failing(Failing, Result<Option<Deferral>, Error>),
    Report(Report),
    /// Somebody in this process has changed the store.
    Poked,
}

/// The store's answer to a call, and when it was asked.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) asked_at: Duration,
    pub(crate) result: Result<T, Error>,
}
