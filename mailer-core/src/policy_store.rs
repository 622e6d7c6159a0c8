//! The trait of policy stores.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::Error;
use crate::domain::{Policy, StoredPolicy};

/// Keeps the one policy of a namespace, versioned.
///
/// # Contract
/// - Versions grow by one with every change, also over `clear_policy`. Setting an equal policy changes nothing.
/// - A change acts on the very next `begin`, and ends every deferral that the old policy caused.
/// - A limit whose kind or zone changes stays in force beside the new one until its current window ends.
///
/// # Cancel safety
/// A dropped call may have been executed. Read the version before repeating it.
#[cfg_attr(feature = "test-util", mockall::automock)]
#[async_trait]
pub trait PolicyStore: Debug + Send + Sync {
    /// The policy in force.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn policy(&self) -> Result<Option<StoredPolicy>, Error>;

    /// Sets the policy if there is none. Returns the one in force then.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error>;

    /// Changes the policy. With `if_version` only if that is the version in force (0: none is set).
    ///
    /// # Errors
    /// `Conflict` if it is another version; or if the store cannot be reached.
    async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error>;

    /// Removes the policy: nothing is sent until one is set.
    ///
    /// # Errors
    /// If the store cannot be reached.
    async fn clear_policy(&self) -> Result<(), Error>;
}

#[async_trait]
impl<T: PolicyStore + ?Sized> PolicyStore for Arc<T> {
    async fn policy(&self) -> Result<Option<StoredPolicy>, Error> {
        (**self).policy().await
    }

    async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error> {
        (**self).init_policy(policy).await
    }

    async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        (**self).set_policy(policy, if_version).await
    }

    async fn clear_policy(&self) -> Result<(), Error> {
        (**self).clear_policy().await
    }
}
