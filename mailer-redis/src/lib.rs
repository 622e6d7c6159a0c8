#![doc = include_str!("../README.md")]

mod args;
mod call;
mod connection;
mod deferral;
mod gate;
mod hours;
mod intake;
mod ledger;
mod limiter;
mod micros;
mod namespace;
mod news;
mod policy;
mod queue;
mod reply;
mod rules;
mod script;
mod store;
mod streams;
mod tombstone;

pub use connection::{Durability, RedisConfig, ServerReport, ServerState};
pub use limiter::RedisRateLimiter;
pub use store::RedisStore;

/// The client library, for [`RedisConfig::from_client`].
pub use redis;
