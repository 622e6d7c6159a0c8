//! Workers that look once an hour hear at once what other processes did.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod changes;
mod scene;
mod thrift;
mod trouble;
