//! The store in the memory of one process: the pure state behind a lock.
//!
//! It has every guarantee of a store but one: what it holds ends with the process. It is the model that other stores are
//! held to, command by command.

mod begin;
mod claim;
mod doubt;
mod intake;
mod ledger;
mod limiter;
mod page;
mod scarce;
mod settle;
mod state;
mod stream;
mod tick;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use self::state::State;
use crate::Error;
use crate::clock::{Clock, SystemClock};
use crate::domain::{
    CampaignId, CampaignSpec, Deferral, Limit, MessageSpec, Policy, Record, Scope, Status,
    StoredPolicy,
};
use crate::gate::{BeginBatch, BeginReply, Gate, StartVerdict};
use crate::limiter::{Demand, Grant, RateLimiter, Usage};
use crate::policy_store::PolicyStore;
use crate::queue::{
    ClaimReply, ClaimRequest, Created, Defer, DeferQueue, Delivery, DeliveryQuery, Halt,
    HoldChange, Intake, Ledger, Load, Presence, Resolution, SettleReply, Settlement, StreamId,
    Tick, TickReply, TicketState, Tombstone,
};

/// A store in memory. Clones share it.
///
/// ```
/// use mailer_core::memory::MemoryStore;
/// use mailer_core::Mailer;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mailer = Mailer::open(MemoryStore::new()).await?;
/// assert!(mailer.list().await?.is_empty());
/// # Ok::<(), mailer_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store with the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store whose only authority on time is `clock`.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            state: Arc::default(),
            clock,
        }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn enter(&self) -> (MutexGuard<'_, State>, DateTime<Utc>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that the order of calls is the order of instants.
        let now = self.clock.now();
        (state, now)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Intake for MemoryStore {
    async fn create(&self, campaign: &CampaignSpec, loader: u64) -> Result<Created, Error> {
        let (mut state, now) = self.enter();
        state.create(now, campaign, loader)
    }

    async fn append(&self, load: &Load, page: &[Record]) -> Result<Load, Error> {
        let (mut state, now) = self.enter();
        state.append(now, load, page)
    }

    async fn seal(&self, load: &Load) -> Result<(), Error> {
        let (mut state, now) = self.enter();
        state.seal(now, load)
    }

    async fn enqueue(&self, message: &MessageSpec) -> Result<(), Error> {
        let (mut state, now) = self.enter();
        state.enqueue(now, message);
        Ok(())
    }

    async fn ticket(&self, stream: &StreamId, key: &str) -> Result<TicketState, Error> {
        let (state, now) = self.enter();
        state.ticket(now, stream, key)
    }
}

#[async_trait]
impl DeferQueue for MemoryStore {
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimReply, Error> {
        let (mut state, now) = self.enter();
        state.claim(now, request)
    }

    async fn start(&self, batch: &BeginBatch) -> Result<Vec<StartVerdict>, Error> {
        let (mut state, now) = self.enter();
        Ok(state.start(now, batch))
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        let (mut state, now) = self.enter();
        Ok(state.settle(now, settlements, defers))
    }

    async fn tick(&self, tick: &Tick) -> Result<TickReply, Error> {
        let (mut state, now) = self.enter();
        Ok(state.tick(now, tick))
    }

    async fn defer(&self, defer: &Defer) -> Result<Option<Deferral>, Error> {
        let (mut state, now) = self.enter();
        Ok(state.defer(now, defer))
    }

    async fn resume(&self, scope: &Scope) -> Result<(), Error> {
        let (mut state, now) = self.enter();
        state.resume(now, scope);
        Ok(())
    }

    async fn halt(&self, halt: &Halt) -> Result<bool, Error> {
        let (mut state, now) = self.enter();
        state.halt(now, halt)
    }
}

#[async_trait]
impl Gate for MemoryStore {
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error> {
        let (mut state, now) = self.enter();
        Ok(state.begin(now, batch))
    }
}

#[async_trait]
impl RateLimiter for MemoryStore {
    async fn reserve(&self, demands: &[Demand]) -> Result<Vec<Grant>, Error> {
        let (mut state, now) = self.enter();
        Ok(demands
            .iter()
            .map(|demand| state.limiter.reserve(now, demand))
            .collect())
    }

    async fn refund(&self, id: &str, unused: u32) -> Result<(), Error> {
        let (mut state, now) = self.enter();
        state.limiter.refund(now, id, unused);
        Ok(())
    }

    async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
        let (state, now) = self.enter();
        Ok(state.limiter.usage(now, limits))
    }
}

#[async_trait]
impl PolicyStore for MemoryStore {
    async fn policy(&self) -> Result<Option<StoredPolicy>, Error> {
        Ok(self.enter().0.policy.clone())
    }

    async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error> {
        let (mut state, now) = self.enter();
        match state.policy.clone() {
            Some(stored) => Ok(stored),
            None => Ok(state.put_policy(now, policy)),
        }
    }

    async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        let (mut state, now) = self.enter();
        state.set_policy(now, policy, if_version)
    }

    async fn clear_policy(&self) -> Result<(), Error> {
        let (mut state, _) = self.enter();
        state.clear_policy();
        Ok(())
    }
}

#[async_trait]
impl Ledger for MemoryStore {
    async fn status(&self, campaign: &CampaignId) -> Result<Status, Error> {
        let (state, now) = self.enter();
        state.status(now, campaign)
    }

    async fn list(&self) -> Result<Vec<Status>, Error> {
        let (state, now) = self.enter();
        Ok(state.list(now))
    }

    async fn hold(&self, campaign: &CampaignId, change: &HoldChange) -> Result<(), Error> {
        let (mut state, now) = self.enter();
        state.change_hold(now, campaign, change)
    }

    async fn outcomes(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error> {
        let (state, now) = self.enter();
        state.outcomes(now, query)
    }

    async fn purge(&self, campaign: &CampaignId) -> Result<Tombstone, Error> {
        let (mut state, now) = self.enter();
        state.purge(now, campaign)
    }

    async fn resolve(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        let (mut state, now) = self.enter();
        state.resolve(now, campaign, key, resolution)
    }

    async fn workers(&self) -> Result<Vec<Presence>, Error> {
        let (state, now) = self.enter();
        Ok(state.present(now))
    }
}
