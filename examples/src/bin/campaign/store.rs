//! Where campaigns are kept.

use std::str::FromStr;

use mailer_core::memory::MemoryStore;
use mailer_core::{Error, ErrorKind, Mailer, Store};
use mailer_redis::{Durability, RedisConfig, RedisStore};

use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::output::note;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    Memory,
    /// As it was given: it may hold a password, so it is not shown.
    Redis(String),
}

/// What is demanded of a Redis before mail depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DurabilityArg {
    /// It keeps an append-only file and evicts nothing
    AppendOnly,
    /// It evicts nothing
    NoEviction,
    /// Nothing: shortcomings are warnings
    Unchecked,
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
    #[error("--store: {0}")]
    Open(Error),
    #[error(
        "{command} needs a store that processes share: --store memory lives in this one process and is empty when it \
         starts (run, test and simulate work with it)"
    )]
    NotShared { command: &'static str },
}

/// A store for this process alone, if need be.
pub(crate) async fn open(options: &Options) -> Result<Mailer, Failure> {
    match &options.store {
        StoreUrl::Memory => {
            let store = Store::from(MemoryStore::new()).namespace(options.namespace.0.as_str());
            Ok(Mailer::open(store).await?)
        }
        StoreUrl::Redis(url) => Ok(Mailer::open(open_redis(url, options).await?).await?),
    }
}

async fn open_redis(url: &str, options: &Options) -> Result<RedisStore, StoreError> {
    let config =
        RedisConfig::new(url, options.namespace.0.as_str()).durability(options.durability.into());
    let store = RedisStore::open(&config).await.map_err(StoreError::Open)?;
    for warning in store.report().warnings() {
        note(format_args!("warning: {warning}"));
    }
    Ok(store)
}

/// A store that outlives this process, for commands that make no sense without.
pub(crate) async fn open_shared(
    options: &Options,
    command: &'static str,
) -> Result<Mailer, Failure> {
    match &options.store {
        StoreUrl::Memory => Err(StoreError::NotShared { command }.into()),
        StoreUrl::Redis(_) => open(options).await,
    }
}

impl StoreError {
    /// A server that is away may come back; everything else wants another command, or another server.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Open(error) if error.kind() == ErrorKind::Unavailable => Ending::Failed,
            _ => Ending::BadInput,
        }
    }
}

impl From<DurabilityArg> for Durability {
    fn from(given: DurabilityArg) -> Self {
        match given {
            DurabilityArg::AppendOnly => Self::AppendOnly,
            DurabilityArg::NoEviction => Self::NoEviction,
            DurabilityArg::Unchecked => Self::Unchecked,
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "memory" => Ok(Self::Memory),
            _ if text.starts_with("redis://") || text.starts_with("rediss://") => {
                Ok(Self::Redis(text.to_owned()))
            }
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
