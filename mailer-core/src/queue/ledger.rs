use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::domain::{
    CampaignId, Counts, Deferral, Digest, Failure, HaltCause, RelayName, Status, WorkerId,
};

/// Shows what became of campaigns and deliveries, and steers them.
///
/// # Contract
/// - A status is true at the store's now: it says `outside_hours` before any worker has touched the campaign, and
///   `no_worker` while none runs.
/// - After [`hold`](Self::hold) has returned from a pause or a cancel nothing more of the campaign starts.
/// - Resuming ends a pause, a halt, and every deferral of the campaign that the policy did not cause.
/// - `purge` of a campaign that is not final is a [`Conflict`](crate::ErrorKind::Conflict). It leaves a tombstone.
///
/// # Cancel safety
/// A dropped call may have been executed. All can be repeated.
#[cfg_attr(feature = "test-util", mockall::automock)]
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// What a campaign is doing.
    ///
    /// # Errors
    /// `NotFound`, or if the store cannot be reached.
    async fn status(&self, campaign: &CampaignId) -> Result<Status, Error>;

    /// All campaigns, those submitted first first.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn list(&self) -> Result<Vec<Status>, Error>;

    /// Pauses, resumes or cancels a campaign.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it is final; or if the store cannot be reached.
    async fn hold(&self, campaign: &CampaignId, change: &HoldChange) -> Result<(), Error>;

    /// A page of deliveries with their states, in the order of loading.
    ///
    /// # Errors
    /// `NotFound`, or if the store cannot be reached.
    async fn outcomes(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error>;

    /// Forgets a final campaign, but for a tombstone.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, or if the store cannot be reached.
    async fn purge(&self, campaign: &CampaignId) -> Result<Tombstone, Error>;

    /// Decides what became of a delivery of which nobody knows. Says whether it was unknown.
    ///
    /// # Errors
    /// `NotFound`, or if the store cannot be reached.
    async fn resolve(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error>;

    /// The workers that have given a sign of life lately.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn workers(&self) -> Result<Vec<Presence>, Error>;
}

/// What the host has found out about a delivery of which nobody knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores match both")]
pub enum Resolution {
    /// It was sent.
    Sent,
    /// It is to be sent again, with the same Message-ID and Date.
    Resend,
}

/// A worker that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Presence {
    /// Which.
    pub worker: WorkerId,
    /// The relays that it serves.
    pub relays: Vec<RelayName>,
    /// When it counts as gone, if nothing more is heard of it.
    pub until: DateTime<Utc>,
}

impl Presence {
    /// A worker that counts as gone at `until`.
    #[must_use]
    pub const fn new(worker: WorkerId, relays: Vec<RelayName>, until: DateTime<Utc>) -> Self {
        Self {
            worker,
            relays,
            until,
        }
    }
}

/// What stops a campaign beside deferrals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the projection matches every one")]
pub enum Hold {
    /// Somebody paused it.
    Paused {
        /// Who, in the host's words.
        by: String,
        /// Why, in the host's words.
        why: String,
    },
    /// It stopped itself.
    Halted {
        /// Why.
        cause: HaltCause,
        /// The relay's words, or what else is to be known.
        detail: String,
    },
    /// Somebody cancelled it, for good.
    Cancelled,
}

/// What the host asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "stores match every one")]
pub enum HoldChange {
    /// Stop until it is resumed.
    Pause {
        /// Who, in the host's words.
        by: String,
        /// Why, in the host's words.
        why: String,
    },
    /// Go on after a pause or a halt.
    Resume,
    /// Stop for good.
    Cancel,
}

/// Which deliveries to show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct DeliveryQuery {
    /// Of which campaign.
    pub campaign: CampaignId,
    /// From which page on.
    pub page: u64,
}

/// One delivery, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Delivery {
    /// Its identity within the campaign.
    pub key: String,
    /// The address.
    pub address: String,
    /// The code of its state, such as `sent`, `pending`, `unknown`.
    pub state: String,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// Attempts that were charged to it.
    pub attempts: u32,
    /// When it is tried again, if it is.
    pub due: Option<DateTime<Utc>>,
    /// Whether some attempt of it is or was in doubt.
    pub in_doubt: bool,
    /// The relay's words where they matter: of a failure, a retry, a doubt.
    pub detail: Option<String>,
}

/// Where a single mail stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "callers match every one")]
pub enum TicketState {
    /// It is final.
    Done(Box<Delivery>),
    /// It waits; for a worker only, if no deferral is named.
    Waiting(Option<Deferral>),
    /// A worker has it in hand.
    InFlight,
}

/// What is left of a purged campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Tombstone {
    /// The digest over it and all its pages.
    pub digest: Digest,
    /// How it ended.
    pub counts: Counts,
}

#[async_trait]
impl<T: Ledger + ?Sized> Ledger for Arc<T> {
    async fn status(&self, campaign: &CampaignId) -> Result<Status, Error> {
        (**self).status(campaign).await
    }

    async fn list(&self) -> Result<Vec<Status>, Error> {
        (**self).list().await
    }

    async fn hold(&self, campaign: &CampaignId, change: &HoldChange) -> Result<(), Error> {
        (**self).hold(campaign, change).await
    }

    async fn outcomes(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error> {
        (**self).outcomes(query).await
    }

    async fn purge(&self, campaign: &CampaignId) -> Result<Tombstone, Error> {
        (**self).purge(campaign).await
    }

    async fn resolve(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        (**self).resolve(campaign, key, resolution).await
    }

    async fn workers(&self) -> Result<Vec<Presence>, Error> {
        (**self).workers().await
    }
}
