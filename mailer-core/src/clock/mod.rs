//! Time as an argument: who needs it asks a [`Clock`].

mod system;
mod virtual_clock;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use system::SystemClock;
pub use virtual_clock::VirtualClock;

/// Reads time and waits. [`SystemClock`] in production, [`VirtualClock`] in simulations.
///
/// # Contract
/// - `monotonic` never falls; `now` may step either way.
/// - `sleep(d)` returns when `monotonic` has grown by `d`, never before.
/// - While any [`Hold`] is alive that is not in `sleep`, a clock that is driven by a program must not move.
///
/// # Cancel safety
/// Dropping a `sleep` ends it without any effect.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The wall clock.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some fixed instant in the past.
    fn monotonic(&self) -> Duration;

    /// Waits for `duration`. Under a [`VirtualClock`] the caller must own a [`Hold`].
    async fn sleep(&self, duration: Duration);

    /// Says that something is under way: time that is driven by a program stands still until it is dropped.
    fn hold(&self) -> Hold;
}

/// Something is under way. See [`Clock::hold`].
#[must_use = "time moves on when it is dropped"]
#[derive(Default)]
pub struct Hold(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Hold {
    /// A hold that does `release` when it is dropped.
    pub fn new(release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(release)))
    }

    /// A hold on a clock that nobody drives.
    pub const fn none() -> Self {
        Self(None)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

impl Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hold")
    }
}
