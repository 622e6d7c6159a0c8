//! The store over a plain server, over a Cluster of three masters, and a gate of two steps with the limiter in another
//! Redis, against every point of every contract.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod support;

use std::sync::Arc;

use mailer_core::clock::VirtualClock;
use mailer_core::conformance::Harness;
use mailer_core::limiter::RateLimiter;
use mailer_redis::{RedisConfig, RedisRateLimiter, RedisStore};

async fn config(clock: &VirtualClock) -> RedisConfig {
    let server = support::server().await;
    let config = RedisConfig::new(server.url(), support::namespace());
    support::keep(server);
    config.clock(Arc::new(clock.clone()))
}

async fn redis() -> Harness {
    let clock = Harness::clock();
    let store = RedisStore::open(&config(&clock).await).await.unwrap();
    Harness::new(clock, Arc::new(store))
}

/// Each namespace is on one of the masters, so that many of them are on all three.
async fn redis_cluster() -> Harness {
    let clock = Harness::clock();
    let cluster = support::cluster().await;
    let config = RedisConfig::cluster(cluster.urls(), support::namespace());
    support::keep(cluster);
    let config = config.clock(Arc::new(clock.clone()));
    let store = RedisStore::open(&config).await.unwrap();
    Harness::new(clock, Arc::new(store))
}

async fn two_redises() -> Harness {
    let clock = Harness::clock();
    let limiter = RedisRateLimiter::connect(&config(&clock).await)
        .await
        .unwrap();
    let limiter: Arc<dyn RateLimiter> = Arc::new(limiter);
    let rest = Arc::new(RedisStore::open(&config(&clock).await).await.unwrap());
    Harness::two_step(clock, limiter, rest)
}

mod plain {
    use super::*;
    mailer_core::store_conformance!(redis);
}

mod two_step {
    use super::*;
    mailer_core::store_conformance!(two_redises);
}

mod cluster {
    use super::*;
    mailer_core::store_conformance!(redis_cluster);
}
