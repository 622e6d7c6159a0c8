//! The stores of this crate, and every wrapper, against every point of every contract.

use std::sync::Arc;

use mailer_core::clock::VirtualClock;
use mailer_core::conformance::{Flaky, Harness, Retrying};
use mailer_core::gate::{Gate, TwoStep};
use mailer_core::limiter::RateLimiter;
use mailer_core::memory::MemoryStore;
use mailer_core::queue::DeferQueue;

fn store(clock: &VirtualClock) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(clock.clone()))
}

async fn memory_store() -> Harness {
    let clock = Harness::clock();
    let store = store(&clock);
    Harness::new(clock, Arc::new(store))
}

/// The limiter of one store before the queue of another.
async fn two_stores() -> Harness {
    let clock = Harness::clock();
    let limiter: Arc<dyn RateLimiter> = Arc::new(store(&clock));
    let rest = Arc::new(store(&clock));
    Harness::two_step(clock, limiter, rest)
}

/// Every trait through `Arc`, twice.
async fn forwarded() -> Harness {
    let clock = Harness::clock();
    let store = store(&clock);
    Harness::new(clock, Arc::new(Arc::new(Arc::new(store))))
}

/// A store whose every third call fails, and a caller who asks again.
async fn flaky_store() -> Harness {
    let clock = Harness::clock();
    let store = Retrying::new(Flaky::new(store(&clock), 3));
    Harness::new(clock, Arc::new(store)).lossy()
}

/// Both stores of a gate of two steps fail, each after its own beat, and the whole gate is asked again.
async fn flaky_stores() -> Harness {
    let clock = Harness::clock();
    let limiter: Arc<dyn RateLimiter> = Arc::new(Flaky::new(store(&clock), 7));
    let rest = Arc::new(Flaky::new(store(&clock), 13));
    let two_step = TwoStep::new(Arc::clone(&limiter), rest.clone(), rest.clone());
    let mut harness = Harness::new(clock, Arc::new(Retrying::new(rest))).lossy();
    let gate: Arc<dyn Gate> = Arc::new(two_step.clone());
    let queue: Arc<dyn DeferQueue> = Arc::new(two_step);
    harness.limiter = Arc::new(Retrying::new(limiter));
    harness.gate = Arc::new(Retrying::new(gate));
    harness.queue = Arc::new(Retrying::new(queue));
    harness
}

mod memory {
    use super::*;
    mailer_core::store_conformance!(memory_store);
}

mod two_step {
    use super::*;
    mailer_core::store_conformance!(two_stores);
}

mod arc {
    use super::*;
    mailer_core::store_conformance!(forwarded);
}

mod flaky {
    use super::*;
    mailer_core::store_conformance!(flaky_store);
}

mod flaky_two_step {
    use super::*;
    mailer_core::store_conformance!(flaky_stores);
}
