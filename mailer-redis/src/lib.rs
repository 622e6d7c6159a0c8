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

pub use connection::{RedisConfig, Topology};
pub use limiter::RedisRateLimiter;
pub use store::RedisStore;
