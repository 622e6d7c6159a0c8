//! What every implementation of a trait must do, as tests.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a point that does not hold panics: that is what it is for"
)]

pub mod transport;
