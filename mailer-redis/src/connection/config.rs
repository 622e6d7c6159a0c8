use std::sync::Arc;

use mailer_core::clock::Clock;

/// How to reach the server, how long to wait for it, and what is demanded of it.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    pub(crate) url: String,
    pub(crate) namespace: String,
    pub(crate) clock: Option<Arc<dyn Clock>>,
}

/// What stands behind the address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topology {
    /// One server.
    Single,
}

impl RedisConfig {
    /// A server at `url`, and the namespace of the keys.
    #[must_use]
    pub fn new(url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: namespace.into(),
            clock: None,
        }
    }

    /// The only authority on time, instead of the server's own: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }
}
