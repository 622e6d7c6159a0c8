//! Forwards every call of a wrapper through its `around`.

macro_rules! around_every_call {
    ($wrapper:ident) => {
        const _: () = {
            use $crate::Error;
            use $crate::domain::{
                CampaignId, CampaignSpec, Deferral, Limit, MessageSpec, Record, Scope, Status,
            };
            use $crate::gate::{BeginBatch, BeginReply, Gate, StartVerdict};
            use $crate::limiter::{Demand, Grant, RateLimiter, Usage};
            use $crate::queue::{
                ClaimReply, ClaimRequest, Created, Defer, DeferQueue, Delivery, DeliveryQuery,
                Halt, HoldChange, Intake, Ledger, Load, Presence, Resolution, SettleReply,
                Settlement, StreamId, Tick, TickReply, TicketState, Tombstone,
            };

            $crate::conformance::around::forward! { $wrapper: RateLimiter {
                reserve(demands: &[Demand]) -> Vec<Grant>;
                refund(id: &str, unused: u32) -> ();
                usage(limits: &[(Limit, Scope)]) -> Vec<Usage>;
            } }
            $crate::conformance::around::forward! { $wrapper: Gate {
                begin(batch: &BeginBatch) -> BeginReply;
            } }
            $crate::conformance::around::forward! { $wrapper: DeferQueue {
                claim(request: &ClaimRequest) -> ClaimReply;
                start(batch: &BeginBatch) -> Vec<StartVerdict>;
                settle(settlements: &[Settlement], defers: &[Defer]) -> SettleReply;
                tick(tick: &Tick) -> TickReply;
                defer(defer: &Defer) -> Option<Deferral>;
                resume(scope: &Scope) -> ();
                halt(halt: &Halt) -> bool;
            } }
            $crate::conformance::around::forward! { $wrapper: Intake {
                create(campaign: &CampaignSpec, loader: u64) -> Created;
                append(load: &Load, page: &[Record]) -> Load;
                seal(load: &Load) -> ();
                enqueue(message: &MessageSpec) -> ();
                ticket(stream: &StreamId, key: &str) -> TicketState;
            } }
            $crate::conformance::around::forward! { $wrapper: Ledger {
                status(campaign: &CampaignId) -> Status;
                list() -> Vec<Status>;
                hold(campaign: &CampaignId, change: &HoldChange) -> ();
                outcomes(query: &DeliveryQuery) -> Vec<Delivery>;
                purge(campaign: &CampaignId) -> Tombstone;
                resolve(campaign: &CampaignId, key: &str, resolution: Resolution) -> bool;
                workers() -> Vec<Presence>;
            } }
        };
    };
}

macro_rules! forward {
    ($wrapper:ident: $trait:ident { $($name:ident($($arg:ident: $type:ty),*) -> $reply:ty;)+ }) => {
        #[async_trait::async_trait]
        impl<T: $trait> $trait for $wrapper<T> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$reply, Error> {
                self.around(stringify!($name), || self.inner.$name($($arg),*)).await
            })+
        }
    };
}

pub(super) use {around_every_call, forward};
