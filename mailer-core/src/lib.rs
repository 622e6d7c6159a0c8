#![doc = include_str!("../README.md")]

pub mod calendar;
pub mod clock;
pub mod composer;
#[cfg(feature = "test-util")]
pub mod conformance;
pub mod domain;
mod engine;
mod error;
pub mod gate;
pub mod limiter;
pub mod limits;
pub mod memory;
pub mod news;
pub mod observer;
pub mod policy_store;
pub mod queue;
pub mod schedule;
pub mod sim;
mod store;
pub mod template;
pub mod transport;

pub use engine::{
    Dedupe, Drained, Health, Inspection, Mailer, Rejected, RelayHealth, Submitted, Ticket, Watch,
    Worker, WorkerBuilder,
};
pub use error::{Error, ErrorKind};
pub use store::Store;
