//! The store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mailer_core::clock::{Clock, SystemClock};
use mailer_core::domain::{Limit, Policy, Scope, StoredPolicy};
use mailer_core::limiter::{Demand, Grant, RateLimiter, Usage};
use mailer_core::{Error, Store};

use crate::args::Args;
use crate::call::Caller;
use crate::connection::{Link, RedisConfig, ServerReport};
use crate::limiter;
use crate::news::Listening;
use crate::policy::delays;
use crate::rules::Rules;
use crate::script::OPEN;
use crate::streams::Streams;

/// The store over Redis, which any number of processes share. Clones share their connections.
///
/// ```no_run
/// use mailer_core::Mailer;
/// use mailer_redis::RedisStore;
///
/// # async fn example() -> Result<(), mailer_core::Error> {
/// let store = RedisStore::connect("redis://127.0.0.1/", "crm:mailer").await?;
/// let mailer = Mailer::open(store).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    caller: Caller,
    streams: Streams,
    rules: Rules,
    /// The policy of the last version that was read.
    policy: Mutex<Option<Arc<StoredPolicy>>>,
    listening: Listening,
}

impl RedisStore {
    /// Connects to the server at `url`, for the keys whose names begin with `{namespace}`.
    ///
    /// # Errors
    /// If the URL or the namespace is not legal, the server cannot be reached, or is not fit to keep what it confirms; if
    /// something else lies under the namespace.
    ///
    /// # Cancel safety
    /// May be dropped: at most an empty namespace is left.
    pub async fn connect(
        url: impl Into<String>,
        namespace: impl Into<String>,
    ) -> Result<Self, Error> {
        Self::open(&RedisConfig::new(url, namespace)).await
    }

    /// Connects as `config` says.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// May be dropped: at most an empty namespace is left.
    pub async fn open(config: &RedisConfig) -> Result<Self, Error> {
        let link = Link::open(config).await?;
        let namespace = config.namespace("connect")?;
        let mut caller = Caller::new(link, namespace, config.clock.clone(), String::new());
        caller.tolerates_rollback = config.tolerates_rollback;
        let (retry, trouble) = delays(&Policy::new());
        let mut args = Args::new();
        args.text(format!("{:032x}", fastrand::u128(..)))
            .text(retry)
            .text(trouble);
        caller.identity = caller.call("connect", &OPEN, &args).await?.reply.text()?;
        Ok(Self {
            inner: Arc::new(Inner {
                caller,
                streams: Streams::default(),
                rules: Rules::default(),
                policy: Mutex::default(),
                listening: Listening::default(),
            }),
        })
    }

    /// What was found out about the server when it was connected to.
    #[must_use]
    pub fn report(&self) -> &ServerReport {
        self.inner.caller.link.report()
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.inner.caller
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.inner.streams
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    pub(crate) fn listening(&self) -> &Listening {
        &self.inner.listening
    }

    pub(crate) fn known_policy(&self) -> MutexGuard<'_, Option<Arc<StoredPolicy>>> {
        self.inner
            .policy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<RedisStore> for Store {
    fn from(store: RedisStore) -> Self {
        let clock: Arc<dyn Clock> = match &store.caller().clock {
            Some(clock) => Arc::clone(clock),
            None => Arc::new(SystemClock),
        };
        let namespace = store.caller().namespace.as_str().to_owned();
        let warnings = store.report().warnings().to_vec();
        Self::new(store.clone(), clock)
            .with_news(Arc::new(store))
            .namespace(namespace)
            .with_warnings(warnings)
    }
}

#[async_trait]
impl RateLimiter for RedisStore {
    async fn reserve(&self, demands: &[Demand]) -> Result<Vec<Grant>, Error> {
        limiter::reserve(self.caller(), demands).await
    }

    async fn refund(&self, id: &str, unused: u32) -> Result<(), Error> {
        limiter::refund(self.caller(), id, unused).await
    }

    async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
        limiter::usage(self.caller(), limits).await
    }
}
