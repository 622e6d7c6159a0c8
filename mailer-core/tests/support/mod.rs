//! A store whose calls take a random time to arrive, and a random time to be answered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{
    CampaignId, CampaignSpec, Deferral, Limit, MessageSpec, Policy, Record, Scope, Status,
    StoredPolicy,
};
use mailer_core::gate::{BeginBatch, BeginReply, Gate, StartVerdict};
use mailer_core::limiter::{Demand, Grant, RateLimiter, Usage};
use mailer_core::memory::MemoryStore;
use mailer_core::policy_store::PolicyStore;
use mailer_core::queue::{
    ClaimReply, ClaimRequest, Created, Defer, DeferQueue, Delivery, DeliveryQuery, Halt,
    HoldChange, Intake, Ledger, Load, Presence, Resolution, SettleReply, Settlement, StreamId,
    Tick, TickReply, TicketState, Tombstone,
};
use mailer_core::{Error, Store};

/// Interleaves callers at random, and lets them die before or after any call.
#[derive(Debug, Clone)]
pub(crate) struct FarStore {
    near: MemoryStore,
    clock: VirtualClock,
    dice: Arc<Mutex<fastrand::Rng>>,
    longest: Duration,
}

impl FarStore {
    pub(crate) fn new(clock: VirtualClock, seed: u64, longest: Duration) -> Self {
        Self {
            near: MemoryStore::with_clock(Arc::new(clock.clone())),
            clock,
            dice: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))),
            longest,
        }
    }

    pub(crate) fn open(&self) -> Store {
        Store::new(self.clone(), Arc::new(self.clock.clone()))
    }

    async fn travel(&self) {
        let longest = u64::try_from(self.longest.as_micros()).unwrap();
        let pause = self.dice.lock().unwrap().u64(0..=longest);
        self.clock.sleep(Duration::from_micros(pause)).await;
    }
}

macro_rules! far {
    ($self:ident, $call:expr) => {{
        $self.travel().await;
        let answer = $call.await;
        $self.travel().await;
        answer
    }};
}

#[async_trait]
impl DeferQueue for FarStore {
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimReply, Error> {
        far!(self, self.near.claim(request))
    }
    async fn start(&self, batch: &BeginBatch) -> Result<Vec<StartVerdict>, Error> {
        far!(self, self.near.start(batch))
    }
    async fn settle(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        far!(self, self.near.settle(settlements, defers))
    }
    async fn tick(&self, tick: &Tick) -> Result<TickReply, Error> {
        far!(self, self.near.tick(tick))
    }
    async fn defer(&self, defer: &Defer) -> Result<Option<Deferral>, Error> {
        far!(self, self.near.defer(defer))
    }
    async fn resume(&self, scope: &Scope) -> Result<(), Error> {
        self.near.resume(scope).await
    }
    async fn halt(&self, halt: &Halt) -> Result<bool, Error> {
        far!(self, self.near.halt(halt))
    }
}

#[async_trait]
impl Gate for FarStore {
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error> {
        far!(self, self.near.begin(batch))
    }
}

// The host's side is asked from tests that own no hold: it answers at once.

#[async_trait]
impl Intake for FarStore {
    async fn create(&self, campaign: &CampaignSpec, loader: u64) -> Result<Created, Error> {
        self.near.create(campaign, loader).await
    }
    async fn append(&self, load: &Load, page: &[Record]) -> Result<Load, Error> {
        self.near.append(load, page).await
    }
    async fn seal(&self, load: &Load) -> Result<(), Error> {
        self.near.seal(load).await
    }
    async fn enqueue(&self, message: &MessageSpec) -> Result<(), Error> {
        self.near.enqueue(message).await
    }
    async fn ticket(&self, stream: &StreamId, key: &str) -> Result<TicketState, Error> {
        self.near.ticket(stream, key).await
    }
}

#[async_trait]
impl RateLimiter for FarStore {
    async fn reserve(&self, demands: &[Demand]) -> Result<Vec<Grant>, Error> {
        self.near.reserve(demands).await
    }
    async fn refund(&self, id: &str, unused: u32) -> Result<(), Error> {
        self.near.refund(id, unused).await
    }
    async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
        self.near.usage(limits).await
    }
}

#[async_trait]
impl PolicyStore for FarStore {
    async fn policy(&self) -> Result<Option<StoredPolicy>, Error> {
        self.near.policy().await
    }
    async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error> {
        self.near.init_policy(policy).await
    }
    async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        self.near.set_policy(policy, if_version).await
    }
    async fn clear_policy(&self) -> Result<(), Error> {
        self.near.clear_policy().await
    }
}

#[async_trait]
impl Ledger for FarStore {
    async fn status(&self, campaign: &CampaignId) -> Result<Status, Error> {
        self.near.status(campaign).await
    }
    async fn list(&self) -> Result<Vec<Status>, Error> {
        self.near.list().await
    }
    async fn hold(&self, campaign: &CampaignId, change: &HoldChange) -> Result<(), Error> {
        self.near.hold(campaign, change).await
    }
    async fn outcomes(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error> {
        self.near.outcomes(query).await
    }
    async fn purge(&self, campaign: &CampaignId) -> Result<Tombstone, Error> {
        self.near.purge(campaign).await
    }
    async fn resolve(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        self.near.resolve(campaign, key, resolution).await
    }
    async fn workers(&self) -> Result<Vec<Presence>, Error> {
        self.near.workers().await
    }
}
