use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock::{Clock, VirtualClock};
use crate::domain::{
    Campaign, CampaignId, CampaignSpec, ClaimId, Counts, Lane, MessageSpec, PAGE_SIZE, Policy,
    Reason, Record, Scope,
};
use crate::gate::{Gate, TwoStep, Verdict};
use crate::limiter::RateLimiter;
use crate::policy_store::PolicyStore;
use crate::queue::{
    Claim, ClaimReply, ClaimRequest, Created, DeferQueue, DeliveryQuery, Intake, Ledger, Load,
    Room, SettleResult, Settled, Settlement, TickReply, Wait,
};

pub(super) use super::builders::*;

/// A fresh store for one test, by its halves, and the clock that it lives by.
///
/// The clock must be the store's only authority on time. It starts on Tuesday, 2026-11-24 at 09:00 UTC.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Harness {
    /// What the store takes for the time.
    pub clock: VirtualClock,
    /// Its limiter.
    pub limiter: Arc<dyn RateLimiter>,
    /// Its queue.
    pub queue: Arc<dyn DeferQueue>,
    /// What takes in campaigns and mails.
    pub intake: Arc<dyn Intake>,
    /// What shows and steers them.
    pub ledger: Arc<dyn Ledger>,
    /// Its policy.
    pub policy: Arc<dyn PolicyStore>,
    /// Its gate.
    pub gate: Arc<dyn Gate>,
    /// Whether replies get lost on the way, so that a caller may see the answer to a repetition only.
    pub lossy: bool,
}

impl Harness {
    /// The clock of a test.
    #[must_use]
    pub fn clock() -> VirtualClock {
        VirtualClock::at(at("2026-11-24T09:00:00Z"))
    }

    /// The harness of a store that implements every trait.
    pub fn new<T>(clock: VirtualClock, store: Arc<T>) -> Self
    where
        T: RateLimiter + DeferQueue + Intake + Ledger + PolicyStore + Gate + 'static,
    {
        Self {
            clock,
            limiter: Arc::clone(&store) as Arc<dyn RateLimiter>,
            queue: Arc::clone(&store) as Arc<dyn DeferQueue>,
            intake: Arc::clone(&store) as Arc<dyn Intake>,
            ledger: Arc::clone(&store) as Arc<dyn Ledger>,
            policy: Arc::clone(&store) as Arc<dyn PolicyStore>,
            gate: store,
            lossy: false,
        }
    }

    /// The harness of a [`TwoStep`]: the limiter of one store before the queue of another.
    pub fn two_step<T>(clock: VirtualClock, limiter: Arc<dyn RateLimiter>, rest: Arc<T>) -> Self
    where
        T: RateLimiter + DeferQueue + Intake + Ledger + PolicyStore + Gate + 'static,
    {
        let two_step = TwoStep::new(
            Arc::clone(&limiter),
            Arc::clone(&rest) as Arc<dyn DeferQueue>,
            Arc::clone(&rest) as Arc<dyn PolicyStore>,
        );
        Self {
            limiter,
            gate: Arc::new(two_step.clone()),
            queue: Arc::new(two_step),
            ..Self::new(clock, rest)
        }
    }

    /// The same, with replies that get lost on the way.
    #[must_use]
    pub fn lossy(mut self) -> Self {
        self.lossy = true;
        self
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) async fn to(&self, instant: &str) {
        self.clock.advance_to(at(instant)).await;
    }

    pub(super) async fn pass(&self, duration: Duration) {
        self.clock.advance(duration).await;
    }

    pub(super) async fn set_policy(&self, policy: &Policy) -> u64 {
        self.policy.set_policy(policy, None).await.unwrap().version
    }

    /// A policy of these limits, in force.
    pub(super) async fn limits(&self, limits: &[&str]) -> u64 {
        let policy = limits
            .iter()
            .fold(Policy::new(), |policy, limit| policy.limit(limit).unwrap());
        self.set_policy(&policy).await
    }

    /// Loads a campaign to so many recipients: `r0@example.com` and so on.
    pub(super) async fn submit(&self, campaign: &Campaign, recipients: usize) -> CampaignId {
        let spec = campaign.check().unwrap();
        let load = self.load(&spec, &records(recipients)).await;
        self.intake.seal(&load).await.unwrap();
        spec.id
    }

    pub(super) async fn load(&self, spec: &CampaignSpec, records: &[Record]) -> Load {
        let mut load = match self.intake.create(spec, 1).await.unwrap() {
            Created::Loading(loading) => loading.load,
            other => panic!("{other:?}"),
        };
        for page in records.chunks(PAGE_SIZE) {
            load = self.intake.append(&load, page).await.unwrap();
        }
        load
    }

    pub(super) async fn enqueue(&self, key: &str, lane: Lane) -> MessageSpec {
        let message = message(key).lane(lane).check().unwrap();
        self.intake.enqueue(&message).await.unwrap();
        message
    }

    pub(super) async fn try_claim(&self, number: u64) -> Option<Claim> {
        self.try_claim_by(claim_id(1, number), room()).await
    }

    pub(super) async fn try_claim_by(&self, id: ClaimId, room: Room) -> Option<Claim> {
        match self.queue.claim(&ClaimRequest { id, room }).await.unwrap() {
            ClaimReply::Claimed(claim) => Some(claim),
            ClaimReply::Nothing { .. } => None,
        }
    }

    pub(super) async fn claim(&self, number: u64) -> Claim {
        self.try_claim(number).await.expect("something is due")
    }

    pub(super) async fn next_due(&self, number: u64) -> Option<DateTime<Utc>> {
        let request = ClaimRequest {
            id: claim_id(1, number),
            room: room(),
        };
        match self.queue.claim(&request).await.unwrap() {
            ClaimReply::Claimed(claim) => panic!("claimed {claim:?}"),
            ClaimReply::Nothing { next_due, .. } => next_due,
        }
    }

    pub(super) async fn version(&self) -> u64 {
        let stored = self.policy.policy().await.unwrap();
        stored.map_or(0, |stored| stored.version)
    }

    /// The verdicts for the first `n` deliveries of a claim.
    pub(super) async fn begin(&self, claim: &Claim, call: u32, n: usize) -> Vec<Verdict> {
        let batch = batch(self.version().await, claim, call, 0..n);
        self.gate.begin(&batch).await.unwrap().verdicts
    }

    /// The verdict for one delivery of a claim.
    pub(super) async fn begin_one(&self, claim: &Claim, call: u32, place: usize) -> Verdict {
        let batch = batch(self.version().await, claim, call, place..place + 1);
        self.gate.begin(&batch).await.unwrap().verdicts.remove(0)
    }

    pub(super) async fn settle(
        &self,
        claim: &Claim,
        place: usize,
        settled: Settled,
    ) -> SettleResult {
        let settlement = settlement(claim, place, settled);
        let reply = self.queue.settle(&[settlement], &[]).await.unwrap();
        reply.results[0]
    }

    /// Settles the whole claim in the same way.
    pub(super) async fn settle_all(&self, claim: &Claim, settled: Settled) {
        let all: Vec<Settlement> = (0..claim.deliveries.len())
            .map(|place| settlement(claim, place, settled))
            .collect();
        self.queue.settle(&all, &[]).await.unwrap();
    }

    pub(super) async fn tick(&self, worker: u64, claims: &[ClaimId]) -> TickReply {
        self.queue.tick(&tick(worker, claims)).await.unwrap()
    }

    /// Ticks of another worker, as often as workers tick, while this much time goes by.
    pub(super) async fn tick_through(&self, duration: Duration) {
        let end = self.now() + duration;
        while self.now() < end {
            self.pass(Duration::from_millis(500)).await;
            self.tick(99, &[]).await;
        }
    }

    pub(super) async fn defer(&self, scope: Scope, reason: Reason, wait: Wait) {
        self.queue.defer(&defer(scope, reason, wait)).await.unwrap();
    }

    pub(super) async fn counts(&self, campaign: &CampaignId) -> Counts {
        let counts = self.ledger.status(campaign).await.unwrap().counts;
        assert_eq!(counts.sum(), counts.total, "{counts:?}");
        counts
    }

    /// The states of a campaign's first page.
    pub(super) async fn states(&self, campaign: &CampaignId) -> Vec<String> {
        let query = DeliveryQuery {
            campaign: campaign.clone(),
            page: 0,
        };
        let page = self.ledger.outcomes(&query).await.unwrap();
        page.into_iter().map(|delivery| delivery.state).collect()
    }

    /// Checks a result, unless its reply may be that of a repetition.
    pub(super) fn check(&self, result: SettleResult, expected: SettleResult) {
        assert!(self.lossy || result == expected, "{result:?}");
    }
}
