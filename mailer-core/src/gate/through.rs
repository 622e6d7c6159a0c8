//! The queue half of a [`TwoStep`]: everything passes through, and what comes back tells of tokens that nobody used.

use async_trait::async_trait;

use super::{BeginBatch, StartVerdict, TwoStep};
use crate::Error;
use crate::domain::{Deferral, Scope};
use crate::queue::{
    ClaimReply, ClaimRequest, Defer, DeferQueue, Halt, SettleReply, SettleResult, Settled,
    Settlement, Tick, TickReply,
};

#[async_trait]
impl DeferQueue for TwoStep {
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimReply, Error> {
        self.queue.claim(request).await
    }

    async fn start(&self, batch: &BeginBatch) -> Result<Vec<StartVerdict>, Error> {
        self.queue.start(batch).await
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        let reply = self.queue.settle(settlements, defers).await?;
        for (settlement, result) in settlements.iter().zip(&reply.results) {
            match result {
                // Also where the reply of the call that applied it was lost: the token is still in hand then.
                SettleResult::Applied | SettleResult::Repeated => {
                    if settlement.settled == Settled::NotStarted {
                        self.hands.give_back(settlement.claim, settlement.index);
                    } else {
                        self.hands.spend(settlement.claim, settlement.index);
                    }
                }
                SettleResult::Stale | SettleResult::Resolved => {}
            }
        }
        self.give_back(reply.server_now).await;
        Ok(reply)
    }

    async fn tick(&self, tick: &Tick) -> Result<TickReply, Error> {
        self.queue.tick(tick).await
    }

    async fn defer(&self, defer: &Defer) -> Result<Option<Deferral>, Error> {
        self.queue.defer(defer).await
    }

    async fn resume(&self, scope: &Scope) -> Result<(), Error> {
        self.queue.resume(scope).await
    }

    async fn halt(&self, halt: &Halt) -> Result<bool, Error> {
        self.queue.halt(halt).await
    }
}
