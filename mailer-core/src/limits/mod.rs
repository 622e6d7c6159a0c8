//! The limiter arithmetic: pure functions that the memory store calls and the Redis scripts mirror.
