use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::around::around_every_call;
use crate::Error;
use crate::domain::{Policy, StoredPolicy};
use crate::policy_store::PolicyStore;

/// A store whose every nth call fails: by turns before it is executed, and after, when only the reply is lost.
///
/// ```
/// use mailer_core::conformance::Flaky;
/// use mailer_core::memory::MemoryStore;
/// use mailer_core::policy_store::PolicyStore;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Flaky::new(MemoryStore::new(), 2);
/// assert!(store.policy().await.is_ok());
/// assert!(store.policy().await.is_err());
/// # });
/// ```
#[derive(Debug)]
pub struct Flaky<T> {
    inner: T,
    nth: u64,
    calls: AtomicU64,
}

enum Fault {
    None,
    BeforeIt,
    AfterIt,
}

impl<T> Flaky<T> {
    /// Fails every `nth` call to `inner`.
    pub const fn new(inner: T, nth: u64) -> Self {
        Self {
            inner,
            nth,
            calls: AtomicU64::new(0),
        }
    }

    async fn around<R: Send, F: Future<Output = Result<R, Error>> + Send>(
        &self,
        op: &'static str,
        call: impl Fn() -> F + Send + Sync,
    ) -> Result<R, Error> {
        let unavailable = |detail| Error::unavailable(op, detail, Duration::from_millis(100));
        match self.next() {
            Fault::None => call().await,
            Fault::BeforeIt => Err(unavailable("the call was lost")),
            Fault::AfterIt => {
                call().await?;
                Err(unavailable("the reply was lost"))
            }
        }
    }

    fn next(&self) -> Fault {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if !call.is_multiple_of(self.nth.max(1)) {
            Fault::None
        } else if (call / self.nth.max(1)).is_multiple_of(2) {
            Fault::BeforeIt
        } else {
            Fault::AfterIt
        }
    }
}

around_every_call!(Flaky);

#[async_trait]
impl<T: PolicyStore> PolicyStore for Flaky<T> {
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
        self.around("set_policy", || self.inner.set_policy(policy, if_version))
            .await
    }

    async fn clear_policy(&self) -> Result<(), Error> {
        self.around("clear_policy", || self.inner.clear_policy())
            .await
    }
}
