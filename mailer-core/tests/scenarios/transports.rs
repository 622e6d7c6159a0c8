//! Transports that fail in ways that relays do not.

mod leaving;
mod panicking;
mod refused;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use mailer_core::Worker;
use mailer_core::clock::Clock;
use mailer_core::domain::WorkerId;
use mailer_core::sim::Sim;
use mailer_core::transport::Transport;

/// A worker with this way to the relay, beside those that the simulation starts. It works as long as the simulation lasts.
fn start_worker(sim: &Sim, number: u64, relay: &str, transport: impl Transport + 'static) {
    let worker = Worker::builder(sim.mailer())
        .relay(relay, transport)
        .observer(sim.trace().clone())
        .idle_tick(Duration::from_secs(30))
        .id(WorkerId(number))
        .build()
        .unwrap();
    let hold = Arc::new(sim.clock().clone()).hold();
    tokio::spawn(async move {
        let running = worker.run(std::future::pending());
        drop(hold);
        running.await;
    });
}
