//! The durable home of campaigns, deferrals and deliveries, in three traits: [`Intake`] takes them in, [`DeferQueue`]
//! hands them to workers, [`Ledger`] shows and steers them.

mod claim;
mod intake;
mod ledger;
mod settle;
mod stream;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use claim::{Claim, ClaimReply, ClaimRequest, ClaimedDelivery, Room};
pub use intake::{Created, Intake, Load, Loading};
pub use ledger::{
    Delivery, DeliveryQuery, Hold, HoldChange, Ledger, Presence, Resolution, TicketState, Tombstone,
};
pub use settle::{Defer, Halt, SettleReply, SettleResult, Settled, Settlement, Wait};
pub use stream::StreamId;

use crate::Error;
use crate::domain::{ClaimId, Deferral, RelayName, Scope, WorkerId};
use crate::gate::{BeginBatch, StartVerdict};

/// Hands deliveries to workers, and takes back what became of them.
///
/// # Contract
/// - **Claim.** A page has one owner at a time, however many claim at once. The id is made by the caller: asked again, it
///   gets the same page. Nothing is claimed before it is due, nor from a scope that is deferred, paused, halted or
///   cancelled. The best due stream is taken: first by lane, then by fair share.
/// - **Lease.** A claim lives while [`tick`](Self::tick) renews it. One that is silent for its lease becomes suspect, and
///   is reaped when it stays silent for 15 s of the store's uptime after that; a gap in ticks starts this anew.
///   What was not started returns to its place, at no cost; what was started is unknown.
/// - **Start.** A delivery is started at most once per claim. [`start`](Self::start) of a foreign, reaped or settled claim
///   is `Stale`; after `pause` or `cancel` has returned it is `Held`. Calls of a claim are numbered: repeated, the same
///   verdicts come back.
/// - **Settle.** Idempotent per delivery. A stale claim changes nothing, save as evidence: a late outcome that matches the
///   doubt record of a delivery resolves it. A failed call has changed nothing or may be repeated.
/// - **Defer.** Of two deferrals of one scope, lane and origin the later one holds; `since` is the start of the
///   uninterrupted wait.
/// - **Conservation.** Every recipient is in exactly one state at every instant.
/// - The store's clock is the only authority on time.
///
/// # Cancel safety
/// A dropped call may have been executed. All can be repeated.
#[cfg_attr(feature = "test-util", mockall::automock)]
#[async_trait]
pub trait DeferQueue: Debug + Send + Sync {
    /// Leases a page of the best due stream.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimReply, Error>;

    /// Marks deliveries as started, without asking any limit: what a [`Gate`](crate::gate::Gate) is made of.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn start(&self, batch: &BeginBatch) -> Result<Vec<StartVerdict>, Error>;

    /// Takes what became of deliveries, and the deferrals that follow from it, in one step.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn settle(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error>;

    /// Tells the store that this worker lives, and asks what is new. Called every 500 ms while leases are held.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn tick(&self, tick: &Tick) -> Result<TickReply, Error>;

    /// Closes a scope. The one operation that defers. Returns the deferral that holds then, if one does.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn defer(&self, defer: &Defer) -> Result<Option<Deferral>, Error>;

    /// Ends the deferrals of a scope that the policy did not cause.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn resume(&self, scope: &Scope) -> Result<(), Error>;

    /// Stops a campaign until somebody resumes it. Says whether it did.
    ///
    /// # Errors
    /// If the store cannot be reached, or there is no such campaign.
    async fn halt(&self, halt: &Halt) -> Result<bool, Error>;
}

/// A worker's sign of life.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Tick {
    /// Who.
    pub worker: WorkerId,
    /// The relays that it serves.
    pub relays: Vec<RelayName>,
    /// The composers that it has.
    pub composers: Vec<String>,
    /// What it could serve at this moment: what `next_due` is about.
    pub room: Room,
    /// The claims to renew.
    pub claims: Vec<ClaimId>,
    /// When the next tick comes at the latest. After three times this it counts as gone.
    pub next_within: std::time::Duration,
    /// False when it is going: its presence ends at once.
    pub present: bool,
}

/// What the store says to a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct TickReply {
    /// The store's clock.
    pub server_now: DateTime<Utc>,
    /// The version of the policy: of the last one, where it was removed. It never falls.
    pub policy_version: u64,
    /// Those of the named claims that are not the worker's any more.
    pub lost: Vec<ClaimId>,
    /// The next instant at which something may be claimed. None: nothing waits for a known instant.
    pub next_due: Option<DateTime<Utc>>,
}

#[async_trait]
impl<T: DeferQueue + ?Sized> DeferQueue for Arc<T> {
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimReply, Error> {
        (**self).claim(request).await
    }

    async fn start(&self, batch: &BeginBatch) -> Result<Vec<StartVerdict>, Error> {
        (**self).start(batch).await
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        (**self).settle(settlements, defers).await
    }

    async fn tick(&self, tick: &Tick) -> Result<TickReply, Error> {
        (**self).tick(tick).await
    }

    async fn defer(&self, defer: &Defer) -> Result<Option<Deferral>, Error> {
        (**self).defer(defer).await
    }

    async fn resume(&self, scope: &Scope) -> Result<(), Error> {
        (**self).resume(scope).await
    }

    async fn halt(&self, halt: &Halt) -> Result<bool, Error> {
        (**self).halt(halt).await
    }
}
