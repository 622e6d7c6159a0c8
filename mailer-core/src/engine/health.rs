//! How a running worker is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::RelayName;

/// What a worker has in hand at this moment, and whether its store answers. Made by
/// [`Worker::health`](super::Worker::health).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether it runs.
    pub running: bool,
    /// The error of the store's last call, while calls fail.
    pub store_error: Option<String>,
    /// What is wrong with the store's server, though it works.
    pub store_warnings: Vec<String>,
    /// Deliveries in hand that have not begun.
    pub waiting: usize,
    /// Deliveries in flight.
    pub in_flight: usize,
    /// Each relay's connections.
    pub relays: BTreeMap<RelayName, RelayHealth>,
}

/// A relay's connections, as one worker has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayHealth {
    /// Open connections, and those being opened.
    pub connections: usize,
    /// As many as are allowed now: fewer than the transport's maximum after trouble.
    pub allowed: usize,
}

/// The last health that a driver has written.
#[derive(Debug, Clone, Default)]
pub(super) struct HealthBoard(Arc<Mutex<Health>>);

impl HealthBoard {
    pub(super) fn write(&self, health: Health) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    pub(super) fn read(&self) -> Health {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
