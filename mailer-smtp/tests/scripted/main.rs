//! The transport against relays that misbehave by script.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be had fails it")]

mod aborted;
mod conformance;
mod connecting;
mod crowd;
mod cut;
mod encrypted;
mod international;
#[cfg(feature = "lettre-transport")]
mod lettre;
mod offers;
mod overlap;
mod replaced;
mod rotation;
mod round_trips;
#[path = "../../src/classify/tests/rows.rs"]
mod rows;
mod sending;
mod support;
mod table;
mod tokens;
