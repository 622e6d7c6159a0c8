//! How a host steers what runs: pauses, waits, policies.

use super::Mailer;
use crate::Error;
use crate::domain::{CampaignId, Policy, Scope, StoredPolicy};
use crate::queue::{Defer, HoldChange, Presence, Resolution, Tombstone};

impl Mailer {
    /// Pauses a campaign: after this has returned nothing more of it begins.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it is final; or the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been paused.
    pub async fn pause(&self, campaign: &CampaignId, by: &str, why: &str) -> Result<(), Error> {
        let change = HoldChange::Pause {
            by: by.to_owned(),
            why: why.to_owned(),
        };
        self.store().ledger.hold(campaign, &change).await
    }

    /// Lets a campaign go on after a pause or a halt, and ends its waits that no policy caused.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    ///
    /// # Cancel safety
    /// Dropped, it may have been resumed.
    pub async fn resume(&self, campaign: &CampaignId) -> Result<(), Error> {
        self.store()
            .ledger
            .hold(campaign, &HoldChange::Resume)
            .await?;
        self.poke();
        Ok(())
    }

    /// Cancels a campaign for good: after this has returned nothing more of it begins.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    ///
    /// # Cancel safety
    /// Dropped, it may have been cancelled.
    pub async fn cancel(&self, campaign: &CampaignId) -> Result<(), Error> {
        self.store()
            .ledger
            .hold(campaign, &HoldChange::Cancel)
            .await
    }

    /// Forgets a final campaign, but for a tombstone that keeps it from being sent again.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it is not final; or the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been purged.
    pub async fn purge(&self, campaign: &CampaignId) -> Result<Tombstone, Error> {
        self.store().ledger.purge(campaign).await
    }

    /// Decides what became of a delivery of which nobody knows. Says whether it was unknown.
    ///
    /// # Errors
    /// `NotFound`, or the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been decided.
    pub async fn resolve(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        let resolved = self
            .store()
            .ledger
            .resolve(campaign, key, resolution)
            .await?;
        self.poke();
        Ok(resolved)
    }

    /// The workers that live, in all processes.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn workers(&self) -> Result<Vec<Presence>, Error> {
        self.store().ledger.workers().await
    }

    /// Makes a scope wait: a relay under repair, a sender with a problem.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been deferred.
    pub async fn defer(&self, defer: &Defer) -> Result<(), Error> {
        self.store().queue.defer(defer).await?;
        Ok(())
    }

    /// Ends the waits of a scope that no policy caused.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been resumed.
    pub async fn resume_scope(&self, scope: &Scope) -> Result<(), Error> {
        self.store().queue.resume(scope).await?;
        self.poke();
        Ok(())
    }

    /// The policy in force.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn policy(&self) -> Result<Option<StoredPolicy>, Error> {
        self.store().policy.policy().await
    }

    /// Sets the policy if there is none. Returns the one in force then.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been set.
    pub async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error> {
        let stored = self.store().policy.init_policy(policy).await?;
        self.poke();
        Ok(stored)
    }

    /// Changes the policy, with `if_version` only if that is the version in force. It acts on the very next mail, and wakes
    /// whom the old one made wait.
    ///
    /// # Errors
    /// `Conflict` if it is another version; or the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been set: read the version.
    pub async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        let stored = self.store().policy.set_policy(policy, if_version).await?;
        self.poke();
        Ok(stored)
    }

    /// Removes the policy: nothing is sent until one is set.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been removed.
    pub async fn clear_policy(&self) -> Result<(), Error> {
        self.store().policy.clear_policy().await
    }
}
