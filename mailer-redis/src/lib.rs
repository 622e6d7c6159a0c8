#![doc = include_str!("../README.md")]

mod args;
mod call;
mod connection;
mod limiter;
mod micros;
mod namespace;
mod reply;
mod script;
mod store;

pub use connection::{Durability, RedisConfig, ServerReport, ServerState};
pub use limiter::RedisRateLimiter;
pub use store::RedisStore;

/// The client library, for [`RedisConfig::from_client`].
pub use redis;
