use async_trait::async_trait;

use super::around::around_every_call;
use crate::domain::{Policy, StoredPolicy};
use crate::policy_store::PolicyStore;
use crate::{Error, ErrorKind};

/// A store whose calls are repeated while it does not answer: what the contracts allow, and what a worker does.
///
/// ```
/// use mailer_core::conformance::{Flaky, Retrying};
/// use mailer_core::memory::MemoryStore;
/// use mailer_core::policy_store::PolicyStore;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Retrying::new(Flaky::new(MemoryStore::new(), 2));
/// for _ in 0..10 {
///     assert!(store.policy().await.is_ok());
/// }
/// # });
/// ```
#[derive(Debug)]
pub struct Retrying<T> {
    inner: T,
}

impl<T> Retrying<T> {
    /// Repeats the calls to `inner`.
    pub const fn new(inner: T) -> Self {
        Self { inner }
    }

    async fn around<R: Send, F: Future<Output = Result<R, Error>> + Send>(
        &self,
        _op: &'static str,
        call: impl Fn() -> F + Send + Sync,
    ) -> Result<R, Error> {
        let mut left = TRIES;
        loop {
            left -= 1;
            match call().await {
                Err(error) if error.kind() == ErrorKind::Unavailable && left > 0 => {}
                other => return other,
            }
        }
    }
}

around_every_call!(Retrying);

#[async_trait]
impl<T: PolicyStore> PolicyStore for Retrying<T> {
    async fn policy(&self) -> Result<Option<StoredPolicy>, Error> {
        self.around("policy", || self.inner.policy()).await
    }

    async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error> {
        self.around("init_policy", || self.inner.init_policy(policy))
            .await
    }

    async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        let first = self.inner.set_policy(policy, if_version).await;
        if !matches!(&first, Err(error) if error.kind() == ErrorKind::Unavailable) {
            return first;
        }
        // Whether it was executed only the store can say: it is asked before it is told again.
        match self.policy().await? {
            Some(stored) if stored.policy == *policy => Ok(stored),
            _ => {
                self.around("set_policy", || self.inner.set_policy(policy, if_version))
                    .await
            }
        }
    }

    async fn clear_policy(&self) -> Result<(), Error> {
        self.around("clear_policy", || self.inner.clear_policy())
            .await
    }
}

const TRIES: u32 = 10;
