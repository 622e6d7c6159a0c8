//! The policy of the namespace.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::Error;
use mailer_core::domain::{Policy, StoredPolicy};
use mailer_core::policy_store::PolicyStore;

use crate::args::Args;
use crate::deferral::micros;
use crate::micros::Micros;
use crate::script::{POLICY, READ_POLICY};
use crate::store::RedisStore;

/// The policy as it was found.
pub(crate) struct Found {
    pub(crate) version: u64,
    pub(crate) stored: Option<Arc<StoredPolicy>>,
    pub(crate) now: Micros,
}

impl RedisStore {
    /// The policy, as this process knows it of that version; read where it knows another.
    pub(crate) async fn policy_of(&self, version: u64) -> Result<Option<Arc<StoredPolicy>>, Error> {
        let known = self.known_policy().clone();
        match known {
            Some(stored) if stored.version == version => Ok(Some(stored)),
            _ => Ok(self.read_policy().await?.stored),
        }
    }

    pub(crate) async fn read_policy(&self) -> Result<Found, Error> {
        let mut answer = self
            .caller()
            .call("policy", &READ_POLICY, &Args::new())
            .await?;
        let (version, text) = (answer.reply.count()?, answer.reply.text()?);
        let stored = match text.as_str() {
            "" => None,
            text => Some(Arc::new(serde_json::from_str(text).map_err(|error| {
                Error::incompatible("policy", format!("the stored policy: {error}"))
            })?)),
        };
        self.known_policy().clone_from(&stored);
        Ok(Found {
            version,
            stored,
            now: answer.now,
        })
    }

    /// Writes what `change` makes of the policy in force. None: nothing is to be written.
    async fn change_policy(
        &self,
        change: impl Fn(&Found) -> Result<Option<Option<StoredPolicy>>, Error>,
    ) -> Result<Option<StoredPolicy>, Error> {
        let mut tried = None;
        for _ in 0..MOST_TRIES {
            let found = self.read_policy().await?;
            // The reply to what was tried may have been lost on the way.
            if tried.is_some() && tried.as_ref() == found.stored.as_deref() {
                return Ok(tried);
            }
            let Some(after) = change(&found)? else {
                return Ok(found.stored.map(|stored| (*stored).clone()));
            };
            let mut args = Args::new();
            args.int(found.version);
            let text = after.as_ref().map(serde_json::to_string).transpose();
            let text = text.map_err(|error| {
                Error::source_failed("set_policy", "the policy has no JSON", error)
            })?;
            args.text(text.unwrap_or_default());
            let (retry, trouble) = match &after {
                Some(stored) => delays(&stored.policy),
                None => delays(&Policy::new()),
            };
            args.text(retry).text(trouble);
            let mut reply = self
                .caller()
                .call("set_policy", &POLICY, &args)
                .await?
                .reply;
            if reply.text()? == "done" {
                return Ok(after);
            }
            tried = after;
        }
        Err(Error::unavailable(
            "set_policy",
            "others change the policy all the time",
            Duration::from_secs(1),
        ))
    }
}

const MOST_TRIES: usize = 16;

/// The waits that scripts reckon with: before further attempts, and after relay trouble.
pub(crate) fn delays(policy: &Policy) -> (String, String) {
    let retry: Vec<String> = (1..)
        .map_while(|attempt| policy.delay_after_attempt(attempt))
        .map(|delay| micros(delay).to_string())
        .collect();
    (
        retry.join(" "),
        micros(policy.delay_after_trouble()).to_string(),
    )
}

#[async_trait]
impl PolicyStore for RedisStore {
    async fn policy(&self) -> Result<Option<StoredPolicy>, Error> {
        let stored = self.read_policy().await?.stored;
        Ok(stored.map(|stored| (*stored).clone()))
    }

    async fn init_policy(&self, policy: &Policy) -> Result<StoredPolicy, Error> {
        let set = self
            .change_policy(|found| {
                Ok(match found.stored {
                    Some(_) => None,
                    None => Some(Some(found.followed_by(policy))),
                })
            })
            .await?;
        set.ok_or_else(|| Error::not_found("init_policy", "the policy is gone again"))
    }

    async fn set_policy(
        &self,
        policy: &Policy,
        if_version: Option<u64>,
    ) -> Result<StoredPolicy, Error> {
        let set = self
            .change_policy(|found| {
                let version = found.stored.as_ref().map_or(0, |stored| stored.version);
                if let Some(wanted) = if_version.filter(|wanted| *wanted != version) {
                    return Err(Error::conflict(
                        "set_policy",
                        format!("the policy in force is version {version}, not {wanted}"),
                    ));
                }
                Ok(match &found.stored {
                    Some(stored) if stored.policy == *policy => None,
                    _ => Some(Some(found.followed_by(policy))),
                })
            })
            .await?;
        set.ok_or_else(|| Error::not_found("set_policy", "the policy is gone again"))
    }

    async fn clear_policy(&self) -> Result<(), Error> {
        self.change_policy(|found| Ok(found.stored.as_ref().map(|_| None)))
            .await?;
        self.known_policy().take();
        Ok(())
    }
}

impl Found {
    fn followed_by(&self, policy: &Policy) -> StoredPolicy {
        StoredPolicy::after(
            self.stored.as_deref(),
            policy,
            self.version + 1,
            self.now.into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use testkit::RedisServer;
    use tokio::runtime::Handle;

    use super::*;

    /// The script has run and its reply is lost: run again, it finds another version than it was told of.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_that_was_made_without_our_hearing_of_it_is_no_conflict() {
        let server = RedisServer::builder().start().await.unwrap();
        let store = RedisStore::connect(server.url(), "test").await.unwrap();
        let lost = RedisStore::connect(server.url(), "test").await.unwrap();
        store.init_policy(&Policy::unlimited()).await.unwrap();
        let policy = Policy::new().limit("7/hour").unwrap();
        let change = |found: &Found| {
            if found.version > 1 {
                return Err(Error::conflict("set_policy", "it is another version"));
            }
            let executed = lost.set_policy(&policy, Some(1));
            tokio::task::block_in_place(|| Handle::current().block_on(executed))?;
            Ok(Some(Some(found.followed_by(&policy))))
        };
        let set = store.change_policy(change).await.unwrap().unwrap();
        assert_eq!((set.version, &set.policy), (2, &policy));
    }
}
