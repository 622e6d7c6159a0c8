//! A store whose calls and verdicts are counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mailer_core::Error;
use mailer_core::domain::{
    CampaignId, CampaignSpec, Deferral, Limit, MessageSpec, Policy, Record, Scope, Status,
    StoredPolicy,
};
use mailer_core::gate::{BeginBatch, BeginReply, Gate, StartVerdict, Verdict};
use mailer_core::limiter::{Demand, Grant, RateLimiter, Usage};
use mailer_core::policy_store::PolicyStore;
use mailer_core::queue::{
    ClaimReply, ClaimRequest, Created, Defer, DeferQueue, Delivery, DeliveryQuery, Halt,
    HoldChange, Intake, Ledger, Load, Presence, Resolution, SettleReply, Settlement, StreamId,
    Tick, TickReply, TicketState, Tombstone,
};

/// A store that counts what is asked of it. Clones count together.
#[derive(Debug, Clone)]
pub struct Watched<T> {
    inner: T,
    counts: Arc<Mutex<Counts>>,
}

/// What was asked of a store.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Counts {
    /// How many calls there were of each kind.
    pub calls: BTreeMap<&'static str, u64>,
    /// Deliveries that began.
    pub begun: u64,
    /// Deliveries that a limit or the hours refused to let begin.
    pub refused: u64,
    /// Calls of `begin` by which nothing began.
    pub in_vain: u64,
}

impl<T> Watched<T> {
    /// Counts what is asked of `inner`.
    pub fn new(inner: T) -> Self {
        Self {
            inner,
            counts: Arc::default(),
        }
    }

    /// What was asked since this was last called.
    #[must_use]
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.lock())
    }

    fn called(&self, name: &'static str) {
        *self.lock().calls.entry(name).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<T: Gate> Gate for Watched<T> {
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error> {
        self.called("begin");
        let reply = self.inner.begin(batch).await?;
        let of = |wanted: fn(&Verdict) -> bool| {
            reply
                .verdicts
                .iter()
                .filter(|verdict| wanted(verdict))
                .count() as u64
        };
        let begun = of(|verdict| matches!(verdict, Verdict::Go { .. }));
        let mut counts = self.lock();
        counts.begun += begun;
        counts.refused += of(|verdict| matches!(verdict, Verdict::Limited(_)));
        counts.in_vain += u64::from(begun == 0);
        drop(counts);
        Ok(reply)
    }
}

macro_rules! forward {
    ($trait:ident { $($name:ident($($arg:ident: $type:ty),*) -> $reply:ty;)+ }) => {
        #[async_trait]
        impl<T: $trait> $trait for Watched<T> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$reply, Error> {
                self.called(stringify!($name));
                self.inner.$name($($arg),*).await
            })+
        }
    };
}

forward! { RateLimiter {
    reserve(demands: &[Demand]) -> Vec<Grant>;
    refund(id: &str, unused: u32) -> ();
    usage(limits: &[(Limit, Scope)]) -> Vec<Usage>;
} }
forward! { DeferQueue {
    claim(request: &ClaimRequest) -> ClaimReply;
    start(batch: &BeginBatch) -> Vec<StartVerdict>;
    settle(settlements: &[Settlement], defers: &[Defer]) -> SettleReply;
    tick(tick: &Tick) -> TickReply;
    defer(defer: &Defer) -> Option<Deferral>;
    resume(scope: &Scope) -> ();
    halt(halt: &Halt) -> bool;
} }
forward! { Intake {
    create(campaign: &CampaignSpec, loader: u64) -> Created;
    append(load: &Load, page: &[Record]) -> Load;
    seal(load: &Load) -> ();
    enqueue(message: &MessageSpec) -> ();
    ticket(stream: &StreamId, key: &str) -> TicketState;
} }
forward! { Ledger {
    status(campaign: &CampaignId) -> Status;
    list() -> Vec<Status>;
    hold(campaign: &CampaignId, change: &HoldChange) -> ();
    outcomes(query: &DeliveryQuery) -> Vec<Delivery>;
    purge(campaign: &CampaignId) -> Tombstone;
    resolve(campaign: &CampaignId, key: &str, resolution: Resolution) -> bool;
    workers() -> Vec<Presence>;
} }
forward! { PolicyStore {
    policy() -> Option<StoredPolicy>;
    init_policy(policy: &Policy) -> StoredPolicy;
    set_policy(policy: &Policy, if_version: Option<u64>) -> StoredPolicy;
    clear_policy() -> ();
} }
