//! How a policy would let a campaign out.

/// placeholder
#[derive(Debug)]
pub struct Timeline;
/// placeholder
#[derive(Debug)]
pub struct Stretch;
