//! The gate: the only way to a transport.

mod group;
mod hands;
mod scarce;
mod through;
mod two_step;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use scarce::{Left, Scarce};
pub use two_step::TwoStep;

use crate::Error;
use crate::calendar::WorkCalendar;
use crate::domain::{
    Address, CampaignSpec, ClaimId, Deferral, Lane, Limit, MessageSpec, Policy, RelayName, Scope,
    ScopeKind, StoredPolicy,
};
use crate::queue::StreamId;

/// Decides which deliveries may begin now.
///
/// # Contract
/// One atomic decision per delivery, in the order of the batch: the claim is valid, the campaign not held, the policy the
/// one expected, the hours open, all limits have a token; then it is marked as started. A refusal changes nothing but the
/// deferral of the refusing scope, which is set in the same step. Calls of a claim are numbered: the last one repeated
/// gets the same verdicts and counts once.
///
/// A reply may tell what the limits that it asked have left. A gate that cannot says nothing of it, and loses no promise.
///
/// # Cancel safety
/// A dropped call may have been executed: repeat it with the same number.
#[cfg_attr(feature = "test-util", mockall::automock)]
#[async_trait]
pub trait Gate: Debug + Send + Sync {
    /// One verdict per item, in their order.
    ///
    /// # Errors
    /// If the store or the limiter cannot be reached: then nothing may be sent.
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error>;
}

/// Deliveries that are ready to be sent in this instant.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct BeginBatch {
    /// The policy version that the worker knows.
    pub policy_version: u64,
    /// Those who want to begin, first who goes first.
    pub items: Vec<BeginItem>,
}

/// One delivery that wants to begin.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct BeginItem {
    /// Of which claim.
    pub claim: ClaimId,
    /// Which delivery.
    pub index: u16,
    /// The how-manieth call of this claim it is, from 1.
    pub call: u32,
    /// The rules that bind it, as its claim named them.
    pub binding: Arc<Binding>,
}

/// Which rules bind the deliveries of a stream: its lane and scopes, and the rules of its own.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Binding {
    /// The stream.
    pub stream: StreamId,
    /// Its lane.
    pub lane: Lane,
    /// The relay it goes through.
    pub relay: RelayName,
    /// Its sender.
    pub sender: Address,
    /// Limits of its own.
    pub limits: Vec<Limit>,
    /// Hours of its own.
    pub hours: Option<WorkCalendar>,
}

impl Binding {
    /// What binds a campaign's mails.
    #[must_use]
    pub fn of_campaign(spec: &CampaignSpec) -> Self {
        Self {
            stream: StreamId::from(&spec.id),
            lane: Lane::Bulk,
            relay: spec.relay.clone(),
            sender: spec.letter.from.address().clone(),
            limits: spec.limits.clone(),
            hours: spec.hours.clone(),
        }
    }

    /// What binds a single mail.
    #[must_use]
    pub fn of_message(spec: &MessageSpec) -> Self {
        Self {
            stream: StreamId::standing(spec),
            lane: spec.lane,
            relay: spec.relay.clone(),
            sender: spec.letter.from.address().clone(),
            limits: Vec::new(),
            hours: None,
        }
    }

    /// The scope of this kind that the stream belongs to. A standing stream is its own campaign.
    #[must_use]
    pub fn scope(&self, kind: ScopeKind) -> Scope {
        match kind {
            ScopeKind::Namespace => Scope::Namespace,
            ScopeKind::Relay => Scope::Relay(self.relay.clone()),
            ScopeKind::Sender => Scope::sender(self.sender.as_str()),
            ScopeKind::Campaign => Scope::Campaign(self.stream.as_str().to_owned()),
            ScopeKind::Stream => Scope::Stream(self.stream.as_str().to_owned()),
        }
    }

    /// The limits that bind it, each with the scope it is counted for: the policy's, those that it replaced and whose
    /// window has not ended at `now`, and its own.
    pub fn limits<'a>(
        &'a self,
        stored: &'a StoredPolicy,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = (&'a Limit, Scope)> {
        let retiring = stored
            .retiring
            .iter()
            .filter(move |(_, until)| *until > now);
        stored
            .policy
            .limits()
            .iter()
            .chain(retiring.map(|(limit, _)| limit))
            .chain(&self.limits)
            .filter(|limit| limit.lanes().contains(self.lane))
            .map(|limit| (limit, self.scope(limit.per())))
    }

    /// The hours that bind it: it may begin while all are open.
    pub fn hours<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = &'a WorkCalendar> {
        policy.hours_for(self.lane).into_iter().chain(&self.hours)
    }
}

/// The verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct BeginReply {
    /// One per item.
    pub verdicts: Vec<Verdict>,
    /// Which of the limits that were asked have few tokens left after this batch; a hint, which may be left out.
    pub scarce: Scarce,
    /// The version of the policy in force.
    pub policy_version: u64,
    /// The store's clock.
    pub server_now: DateTime<Utc>,
}

/// Whether a delivery may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the engine matches every one")]
pub enum Verdict {
    /// It is started.
    Go {
        /// `MAIL FROM` must have been written before.
        send_by: DateTime<Utc>,
        /// The final dot must have been written before.
        dot_by: DateTime<Utc>,
    },
    /// Limits or hours stop it: the deferral says until when.
    Limited(Box<Deferral>),
    /// The campaign is paused, halted or cancelled.
    Held,
    /// The policy is another one than the worker knows: ask again with the version of the reply.
    PolicyChanged,
    /// The claim is not the worker's any more.
    Stale,
}

/// What [`DeferQueue::start`](crate::queue::DeferQueue::start) says: a verdict without limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "gates match every one")]
pub enum StartVerdict {
    /// It is started; the final dot must have been written before `dot_by`.
    Started {
        /// By the store's clock.
        dot_by: DateTime<Utc>,
    },
    /// It was started by the same numbered call before.
    Repeated {
        /// By the store's clock.
        dot_by: DateTime<Utc>,
    },
    /// The campaign is paused, halted or cancelled.
    Held,
    /// The policy is another one than the worker knows.
    PolicyChanged,
    /// The claim is not the worker's any more.
    Stale,
}

impl StartVerdict {
    const fn is_started(self) -> bool {
        matches!(self, Self::Started { .. } | Self::Repeated { .. })
    }
}

#[async_trait]
impl<T: Gate + ?Sized> Gate for Arc<T> {
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error> {
        (**self).begin(batch).await
    }
}
