//! What every transport must do.
//!
//! Each point of the contract of [`Transport`](crate::transport::Transport) and [`Session`](crate::transport::Session) is a
//! public async function that takes a relay with the fault it needs. [`transport_conformance!`](crate::transport_conformance)
//! makes a named `#[tokio::test]` of every point.

mod cut_off;
mod macros;
mod points;
mod relay;
mod rig;

pub use cut_off::polled_at_most;
pub use points::*;
pub use relay::{Fault, Relay};
pub use rig::{Delivered, Rig};
