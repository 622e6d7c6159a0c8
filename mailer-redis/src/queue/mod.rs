//! Handing deliveries to workers, and taking back what became of them.

mod claim;
mod page;
mod room;
mod settle;
mod tick;

use async_trait::async_trait;
use mailer_core::Error;
use mailer_core::domain::{ClaimId, Deferral, Scope};
use mailer_core::gate::{BeginBatch, StartVerdict};
use mailer_core::queue::{
    ClaimReply, ClaimRequest, Defer, DeferQueue, Halt, Hold, SettleReply, Settlement, Tick,
    TickReply,
};

use crate::args::{Args, json};
use crate::deferral;
use crate::micros::Micros;
use crate::script::{DEFER, HOLD, RESUME};
use crate::store::RedisStore;

pub(crate) use tick::Present;

#[async_trait]
impl DeferQueue for RedisStore {
    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimReply, Error> {
        self.lease(request).await
    }

    async fn start(&self, batch: &BeginBatch) -> Result<Vec<StartVerdict>, Error> {
        self.start_unlimited(batch).await
    }

    async fn settle(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        self.take_back(settlements, defers).await
    }

    async fn tick(&self, tick: &Tick) -> Result<TickReply, Error> {
        self.sign_of_life(tick).await
    }

    async fn defer(&self, defer: &Defer) -> Result<Option<Deferral>, Error> {
        let mut args = Args::new();
        deferral::encode(&mut args, defer);
        let mut reply = self.caller().call("defer", &DEFER, &args).await?.reply;
        deferral::decode(reply.list()?)
    }

    async fn resume(&self, scope: &Scope) -> Result<(), Error> {
        let mut args = Args::new();
        args.text(scope.to_string());
        self.caller().call("resume", &RESUME, &args).await?;
        Ok(())
    }

    async fn halt(&self, halt: &Halt) -> Result<bool, Error> {
        let hold = Hold::Halted {
            cause: halt.cause.clone(),
            detail: halt.detail.clone(),
        };
        let mut args = Args::new();
        args.text(halt.stream.as_str())
            .text("halt")
            .text(json("halt", &hold)?)
            .at_or_none(halt.unless_sent_since.map(Micros::from));
        let mut reply = self.caller().call("halt", &HOLD, &args).await?.reply;
        match reply.text()?.as_str() {
            "done" => Ok(true),
            "void" => Ok(false),
            "missing" => Err(Error::not_found(
                "halt",
                format!("there is no campaign {:?}", halt.stream.as_str()),
            )),
            word => Err(reply.unknown(word)),
        }
    }
}

/// A claim as keys and scripts name it.
pub(crate) fn claim_name(id: ClaimId) -> String {
    id.to_string()
}
