//! The transport against servers that others have written: Postfix, and its `smtp-sink`.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be had fails it")]

mod encrypted;
mod limits;
mod overlap;
mod sink;
mod support;
