//! The store.

use crate::call::Caller;

/// The store over Redis.
#[derive(Debug)]
pub struct RedisStore {
    caller: Caller,
}
