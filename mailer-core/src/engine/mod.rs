//! The engine: what a worker does, and what a host asks for.
//!
//! `plan` decides, and is pure; `driver` carries out; `mailer` is the host's side.

mod drained;
mod driver;
mod health;
mod listener;
mod mailer;
mod plan;
mod poke;
mod serve;
mod steer;
mod submit;
mod ticket;
mod watch;
mod worker;

pub use drained::Drained;
pub use health::{Health, RelayHealth};
pub use mailer::Mailer;
pub use submit::{Dedupe, Inspection, Rejected, Submitted};
pub use ticket::Ticket;
pub use watch::Watch;
pub use worker::{Worker, WorkerBuilder};
