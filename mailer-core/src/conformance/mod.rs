//! What every store must do, as tests: for the memory store, for Redis, and for whoever writes another.
//!
//! Each point of a contract is a public async function that takes a fresh [`Harness`] and panics if the point does not
//! hold. A macro for each trait makes a named `#[tokio::test]` of every point:
//!
//! ```
//! use std::sync::Arc;
//! use mailer_core::clock::VirtualClock;
//! use mailer_core::conformance::Harness;
//! use mailer_core::memory::MemoryStore;
//!
//! async fn memory() -> Harness {
//!     let clock = Harness::clock();
//!     Harness::new(clock.clone(), Arc::new(MemoryStore::with_clock(Arc::new(clock))))
//! }
//!
//! mailer_core::store_conformance!(memory);
//! # fn main() {}
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a point that does not hold panics: that is what it is for"
)]

mod around;
mod builders;
pub mod defer_queue;
mod flaky;
pub mod gate;
mod harness;
pub mod intake;
pub mod ledger;
mod macros;
pub mod policy;
pub mod rate_limiter;
mod retrying;
pub mod transport;

pub use flaky::Flaky;
pub use harness::Harness;
pub use retrying::Retrying;
