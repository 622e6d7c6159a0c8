//! The limiter.

mod ask;
mod lines;
mod refund;
mod reserve;
mod usage;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use mailer_core::Error;
use mailer_core::domain::{Limit, Scope};
use mailer_core::limiter::{Demand, Grant, RateLimiter, Usage};

use crate::call::Caller;
use crate::connection::{Link, RedisConfig};

pub(crate) use ask::call_around;
pub(crate) use lines::encode;
pub(crate) use refund::refund;
pub(crate) use reserve::reserve;
pub(crate) use usage::usage;

/// A limiter that all processes share, for hosts that want the limits alone.
///
/// It counts in the same keys as the [`RedisStore`](crate::RedisStore) of its namespace. Every key has an expiry, and a
/// calendar limit is a plain number: `redis-cli GET '{crm:mailer}:rate:hour:2026-11-24:09'` shows the hour.
///
/// Up to 64 demands of one call are decided in one step; of more, the first 64, then the next.
///
/// ```no_run
/// use mailer_core::domain::{Lane, Scope};
/// use mailer_core::limiter::{Demand, RateLimiter};
/// use mailer_redis::{RedisConfig, RedisRateLimiter};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let config = RedisConfig::new("redis://127.0.0.1/", "crm:mailer");
/// let limiter = RedisRateLimiter::connect(&config).await?;
/// let demand = Demand {
///     id: "invoice-17".to_owned(),
///     lane: Lane::Bulk,
///     n: 1,
///     limits: vec![("100/hour".parse()?, Scope::Namespace)],
///     reserved_percent: 0,
/// };
/// let grants = limiter.reserve(&[demand]).await?;
/// println!("{} until {}", grants[0].granted, grants[0].use_by);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RedisRateLimiter {
    caller: Caller,
}

impl RedisRateLimiter {
    /// Connects to the server.
    ///
    /// # Errors
    /// [`Invalid`](mailer_core::ErrorKind::Invalid) if the namespace is not legal,
    /// [`Unavailable`](mailer_core::ErrorKind::Unavailable) if the server does not answer.
    ///
    /// # Cancel safety
    /// A dropped call has changed nothing.
    pub async fn connect(config: &RedisConfig) -> Result<Self, Error> {
        let namespace = config.namespace("connect")?;
        let link = Link::open(config).await?;
        let caller = Caller::new(link, namespace, config.clock.clone(), String::new());
        Ok(Self { caller })
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn reserve(&self, demands: &[Demand]) -> Result<Vec<Grant>, Error> {
        reserve(&self.caller, demands).await
    }

    async fn refund(&self, id: &str, unused: u32) -> Result<(), Error> {
        refund(&self.caller, id, unused).await
    }

    async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
        usage(&self.caller, limits).await
    }
}
