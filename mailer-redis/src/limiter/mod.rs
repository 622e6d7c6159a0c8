//! The limiter.

use crate::call::Caller;

/// A limiter that all processes share.
#[derive(Debug)]
pub struct RedisRateLimiter {
    caller: Caller,
}
