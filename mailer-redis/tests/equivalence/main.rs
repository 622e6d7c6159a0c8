//! The store over Redis answers as the one in memory, command by command, to the last instant: any sequence of commands,
//! with clocks that step back, foreign and stale claims, repetitions, and limits that are used up.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod commands;
mod compare;
mod fixtures;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::sync::Arc;

use mailer_core::clock::VirtualClock;
use mailer_redis::{RedisConfig, RedisStore};
use proptest::prelude::*;

use commands::{Command, commands, policy};
use world::World;

fn config() -> ProptestConfig {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default().cases,
        Err(_) => 48,
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    }
}

async fn run(policy: Command, commands: Vec<Command>) {
    let clock = VirtualClock::at(fixtures::start());
    let server = support::server().await;
    let config =
        RedisConfig::new(server.url(), support::namespace()).clock(Arc::new(clock.clone()));
    support::keep(server);
    let redis = RedisStore::open(&config).await.unwrap();
    let mut world = World::new(clock, redis);
    world.run(policy).await;
    for command in commands {
        world.run(command).await;
    }
}

#[test]
fn redis_answers_as_memory_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    proptest!(config(), |(first in policy(), commands in commands())| {
        runtime.block_on(run(first, commands));
    });
}
