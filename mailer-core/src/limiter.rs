//! The trait of limiters.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::Error;
use crate::domain::{Lane, Limit, Reason, Scope};

/// Counts sends against limits that all processes share.
///
/// # Contract
/// - A demand for `n` tokens over several limits is granted `g <= n`, the same `g` on each. `g = 0` changes nothing.
/// - However many callers there are, no window of any limit ever counts more than its cap.
/// - A refusal names the limit that refuses longest, and the first instant at which one token is free on all of them
///   (`None`: not before a cap changes). Nothing asked before it is granted, save through refunds and raised caps.
/// - A token belongs to its window: it is to be used before `use_by`, or refunded and asked for anew.
/// - Numbers are not part of a limit's identity: a raised cap gives the difference, a lowered one acts at once.
/// - The same id asked again gets the same answer and counts once. Refunds are absolute (`unused` in all) and count once.
/// - If the store cannot be reached: [`Unavailable`](crate::ErrorKind::Unavailable) within a bounded time, never a grant.
///
/// # Cancel safety
/// A dropped call may have been executed. Ask again with the same id.
#[cfg_attr(feature = "test-util", mockall::automock)]
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync {
    /// Takes tokens: one answer per demand, in their order. Demands are served one after the other.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn reserve(&self, demands: &[Demand]) -> Result<Vec<Grant>, Error>;

    /// Says that `unused` tokens of the reservation `id` will not be used; they come back to the window they are from.
    /// An id that is not known any more gets nothing back.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn refund(&self, id: &str, unused: u32) -> Result<(), Error>;

    /// Looks at the counters. Nothing may be decided on it: only [`reserve`](Self::reserve) decides.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error>;
}

/// How many tokens are asked for, over which limits.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Demand {
    /// Makes a repetition count once.
    pub id: String,
    /// For which lane.
    pub lane: Lane,
    /// How many.
    pub n: u32,
    /// Over which limits, each for the scope that it is counted for.
    pub limits: Vec<(Limit, Scope)>,
    /// The percentage of every limit that is kept from `Bulk`.
    pub reserved_percent: u8,
}

/// What a demand was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Grant {
    /// How many tokens.
    pub granted: u32,
    /// They are to be used before this instant.
    pub use_by: DateTime<Utc>,
    /// Why it was not all that was asked for.
    pub refusal: Option<Refusal>,
    /// The store's clock.
    pub server_now: DateTime<Utc>,
}

/// Why a limit gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Refusal {
    /// The scope whose limit refuses.
    pub scope: Scope,
    /// What is used up.
    pub reason: Reason,
    /// The first instant at which a token is free on all limits. None: not before a cap changes.
    pub retry_at: Option<DateTime<Utc>>,
}

/// How much of a limit is used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Usage {
    /// Which limit.
    pub limit: Limit,
    /// For whom it is counted.
    pub scope: Scope,
    /// How many tokens count at this instant.
    pub used: u32,
    /// The end of the present window, for calendar limits.
    pub window_ends: Option<DateTime<Utc>>,
}

#[async_trait]
impl<T: RateLimiter + ?Sized> RateLimiter for Arc<T> {
    async fn reserve(&self, demands: &[Demand]) -> Result<Vec<Grant>, Error> {
        (**self).reserve(demands).await
    }

    async fn refund(&self, id: &str, unused: u32) -> Result<(), Error> {
        (**self).refund(id, unused).await
    }

    async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
        (**self).usage(limits).await
    }
}

#[cfg(test)]
fn _object_safe(_: &dyn RateLimiter) {}
