//! A ticket for a single mail.

use serde::{Deserialize, Serialize};

use crate::queue::StreamId;

/// The name of an enqueued mail: kept anywhere, it tells later what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket {
    pub(super) stream: StreamId,
    pub(super) key: String,
}

impl Ticket {
    /// The mail's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}
