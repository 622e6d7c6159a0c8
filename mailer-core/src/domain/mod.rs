//! What is sent, to whom, under which rules, and what became of it: values that are right by construction.

mod lane;

pub use lane::{Lane, LaneError, Lanes};
