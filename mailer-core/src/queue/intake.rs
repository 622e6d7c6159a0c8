use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::{StreamId, TicketState, Tombstone};
use crate::Error;
use crate::domain::{CampaignSpec, Digest, MessageSpec, Record};

/// Takes in campaigns page by page, and single mails.
///
/// # Contract
/// - `create` is idempotent by campaign id and content; the same id with other content is a
///   [`Conflict`](crate::ErrorKind::Conflict).
/// - Pages chain: each names the digest of all before it, so that two loaders or a changed source cannot mix.
///   A page that does not follow is a `Conflict`; the last one repeated changes nothing.
/// - Until `seal` the campaign is a draft: listed, sends nothing, ages out a day after its last page.
/// - A purged campaign's tombstone answers `create`: it is never loaded again.
/// - `enqueue` is idempotent by stream and key.
///
/// # Cancel safety
/// A dropped call may have been executed. All can be repeated.
#[cfg_attr(feature = "test-util", mockall::automock)]
#[async_trait]
pub trait Intake: Debug + Send + Sync {
    /// Begins to load a campaign, or goes on where loading stopped. `loader` names the caller: while another's lease of
    /// 60 s lasts, it is a `Conflict`.
    ///
    /// # Errors
    /// `Conflict`, or if the store cannot be reached.
    async fn create(&self, campaign: &CampaignSpec, loader: u64) -> Result<Created, Error>;

    /// Adds a page of at most [`PAGE_SIZE`](crate::domain::PAGE_SIZE) recipients.
    ///
    /// # Errors
    /// `Conflict`, `NotFound`, or if the store cannot be reached.
    async fn append(&self, load: &Load, page: &[Record]) -> Result<Load, Error>;

    /// All recipients are there: the campaign may be sent.
    ///
    /// # Errors
    /// `Conflict`, `NotFound`, or if the store cannot be reached.
    async fn seal(&self, load: &Load) -> Result<(), Error>;

    /// Puts a single mail into its standing stream.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn enqueue(&self, message: &MessageSpec) -> Result<(), Error>;

    /// Where a single mail stands.
    ///
    /// # Errors
    /// `NotFound`, or if the store cannot be reached.
    async fn ticket(&self, stream: &StreamId, key: &str) -> Result<TicketState, Error>;
}

/// What `create` found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every one")]
pub enum Created {
    /// It is to be loaded, from here on.
    Loading(Loading),
    /// It was loaded before, wholly.
    Sealed {
        /// The digest over it and all its pages.
        digest: Digest,
        /// How many recipients it has.
        total: u64,
    },
    /// It was loaded, sent and purged before.
    Purged(Tombstone),
}

/// How far loading is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Loading {
    /// What to name in the next call.
    pub load: Load,
    /// The key of the last stored recipient, if loading goes on.
    pub resume_after: Option<String>,
}

/// The state of loading that the next call must name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Load {
    /// Which campaign.
    pub campaign: crate::domain::CampaignId,
    /// Who loads.
    pub loader: u64,
    /// How many pages are stored.
    pub pages: u64,
    /// The digest over the campaign and these pages.
    pub digest: Digest,
}

#[async_trait]
impl<T: Intake + ?Sized> Intake for Arc<T> {
    async fn create(&self, campaign: &CampaignSpec, loader: u64) -> Result<Created, Error> {
        (**self).create(campaign, loader).await
    }

    async fn append(&self, load: &Load, page: &[Record]) -> Result<Load, Error> {
        (**self).append(load, page).await
    }

    async fn seal(&self, load: &Load) -> Result<(), Error> {
        (**self).seal(load).await
    }

    async fn enqueue(&self, message: &MessageSpec) -> Result<(), Error> {
        (**self).enqueue(message).await
    }

    async fn ticket(&self, stream: &StreamId, key: &str) -> Result<TicketState, Error> {
        (**self).ticket(stream, key).await
    }
}
