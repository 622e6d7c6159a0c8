//! A store as a host opens it: all traits of one backend, and its clock.

use std::sync::Arc;

use crate::clock::Clock;
use crate::gate::{Gate, TwoStep};
use crate::limiter::RateLimiter;
use crate::memory::MemoryStore;
use crate::news::News;
use crate::policy_store::PolicyStore;
use crate::queue::{DeferQueue, Intake, Ledger};

/// All that a [`Mailer`](crate::Mailer) needs of a backend. Made from a [`MemoryStore`], or put together from parts.
///
/// ```
/// use std::sync::Arc;
/// use mailer_core::Store;
/// use mailer_core::clock::SystemClock;
/// use mailer_core::memory::MemoryStore;
///
/// let store = Store::new(MemoryStore::new(), Arc::new(SystemClock));
/// # let _ = store;
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) queue: Arc<dyn DeferQueue>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) policy: Arc<dyn PolicyStore>,
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) news: Option<Arc<dyn News>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) namespace: String,
    pub(crate) warnings: Vec<String>,
}

impl Store {
    /// A backend that implements every trait. `clock` is what workers sleep by; what the time is, only the store says.
    pub fn new<T>(backend: T, clock: Arc<dyn Clock>) -> Self
    where
        T: Intake + DeferQueue + Ledger + PolicyStore + RateLimiter + Gate + 'static,
    {
        let backend = Arc::new(backend);
        Self {
            intake: Arc::clone(&backend) as Arc<dyn Intake>,
            queue: Arc::clone(&backend) as Arc<dyn DeferQueue>,
            ledger: Arc::clone(&backend) as Arc<dyn Ledger>,
            policy: Arc::clone(&backend) as Arc<dyn PolicyStore>,
            limiter: Arc::clone(&backend) as Arc<dyn RateLimiter>,
            gate: backend,
            news: None,
            clock,
            namespace: "mailer".to_owned(),
            warnings: Vec::new(),
        }
    }

    /// What is wrong with the server, though it works: shown by [`Mailer::store_warnings`](crate::Mailer::store_warnings)
    /// and [`Health::store_warnings`](crate::Health).
    #[must_use]
    pub fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Workers hear at once what other processes did, where a backend can tell. Without it they find out by their ticks.
    #[must_use]
    pub fn with_news(mut self, news: Arc<dyn News>) -> Self {
        self.news = Some(news);
        self
    }

    /// Names what the store is for; `mailer`, if not named. Part of every Message-ID.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// The same store with a limiter that is elsewhere, such as one that several stores share.
    #[must_use]
    pub fn with_limiter(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        let gate = TwoStep::new(
            Arc::clone(&limiter),
            Arc::clone(&self.queue),
            Arc::clone(&self.policy),
        );
        self.queue = Arc::new(gate.clone());
        self.gate = Arc::new(gate);
        self.limiter = limiter;
        self
    }
}

impl From<MemoryStore> for Store {
    fn from(store: MemoryStore) -> Self {
        let clock = store.clock();
        Self::new(store, clock)
    }
}
