//! The servers, seen through raw sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a failure in a step of a test fails the test"
)]

mod catcher;
mod client;
mod network;
mod postfix;
mod redis;
mod script;
mod server;
mod sink;
mod tls;
