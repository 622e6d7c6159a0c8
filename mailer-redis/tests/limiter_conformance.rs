//! The limiter keeps every point of its contract.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod support;

use std::sync::Arc;

use mailer_core::conformance::Harness;
use mailer_core::memory::MemoryStore;
use mailer_redis::{RedisConfig, RedisRateLimiter};

async fn harness() -> Harness {
    let clock = Harness::clock();
    let server = support::server().await;
    let config =
        RedisConfig::new(server.url(), support::namespace()).clock(Arc::new(clock.clone()));
    support::keep(server);
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let mut harness = Harness::new(clock, Arc::new(memory));
    harness.limiter = Arc::new(RedisRateLimiter::connect(&config).await.unwrap());
    harness
}

mailer_core::rate_limiter_conformance!(harness);
