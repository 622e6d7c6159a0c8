//! What a failure of the server means to the caller.

use std::time::Duration;

use mailer_core::Error;
use redis::RedisError;

pub(crate) fn describe(op: &'static str, address: &str, error: &RedisError) -> Error {
    Error::unavailable(
        op,
        format!("redis at {address}: {error}"),
        Duration::from_secs(1),
    )
}
