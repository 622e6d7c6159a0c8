//! Simulation: the real engine under virtual time, with a relay that answers as it is told. For hosts to test their
//! policies with, and for our own scenarios.

mod fake_relay;
mod simulation;
mod trace;

pub use fake_relay::{FakeMail, FakeRelay};
pub use simulation::Sim;
pub use trace::{Trace, Traced};
