//! The transport against relays that misbehave by script.

mod conformance;
mod connecting;
mod encrypted;
mod sending;
mod sink;
mod support;
