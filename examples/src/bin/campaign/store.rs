//! Where campaigns are kept.

use std::str::FromStr;

use mailer_core::memory::MemoryStore;
use mailer_core::{Mailer, Store};

use crate::args::Options;
use crate::failure::Failure;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Memory,
    Redis,
}

/// The name of a namespace, such as `mailer` or `crm:mailer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace(String);

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("unknown store {0:?}: write memory, or redis://HOST:PORT/DB")]
    Unknown(String),
    #[error("{0:?} is not a legal namespace: write 1 to 64 of A-Z a-z 0-9 . _ - :")]
    Namespace(String),
    #[error(
        "--store redis://… comes with the crate mailer-redis, which is not in this version: use --store memory"
    )]
    NoRedis,
    #[error(
        "{command} needs a store that processes share: --store memory lives in this one process and is empty when it \
         starts (run, test and simulate work with it)"
    )]
    NotShared { command: &'static str },
}

/// A store for this process alone, if need be.
pub(crate) async fn open(options: &Options) -> Result<Mailer, Failure> {
    match options.store {
        StoreUrl::Memory => {
            let store = Store::from(MemoryStore::new()).namespace(options.namespace.0.as_str());
            Ok(Mailer::open(store).await?)
        }
        StoreUrl::Redis => Err(StoreError::NoRedis.into()),
    }
}

/// A store that outlives this process, for commands that make no sense without.
pub(crate) async fn open_shared(
    options: &Options,
    command: &'static str,
) -> Result<Mailer, Failure> {
    match options.store {
        StoreUrl::Memory => Err(StoreError::NotShared { command }.into()),
        StoreUrl::Redis => open(options).await,
    }
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "memory" => Ok(Self::Memory),
            _ if text.starts_with("redis://") || text.starts_with("rediss://") => Ok(Self::Redis),
            _ => Err(StoreError::Unknown(text.to_owned())),
        }
    }
}

impl FromStr for Namespace {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let legal = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte));
        legal
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| StoreError::Namespace(text.to_owned()))
    }
}
