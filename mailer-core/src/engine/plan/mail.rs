//! A mail in hand, and how far it is.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::{ClaimId, Draft};
use crate::gate::Binding;
use crate::queue::ClaimedDelivery;

/// A delivery in hand.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) claim: ClaimId,
    pub(super) binding: Arc<Binding>,
    pub(super) delivery: ClaimedDelivery,
    pub(super) stage: Stage,
}

impl Mail {
    /// Whether it is to be composed, or to begin.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Composing | Stage::Ready(_))
    }

    /// Whether the ledger has it as begun.
    pub(super) fn has_begun(&self) -> bool {
        match self.stage {
            Stage::Composing | Stage::Ready(_) | Stage::Beginning(_) => false,
            Stage::Flying(..) => true,
            Stage::Failing { has_begun } => has_begun,
        }
    }
}

#[derive(Debug)]
pub(super) enum Stage {
    Composing,
    Ready(Draft),
    /// The gate is asked.
    Beginning(Draft),
    /// Begun at this instant of the store's clock; with this connection, if one was left.
    Flying(DateTime<Utc>, Option<u64>),
    /// The store is asked whether it fails.
    Failing {
        has_begun: bool,
    },
}
