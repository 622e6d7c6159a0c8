use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cut::Way;

/// What a connection has carried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// All that the client was heard to say, also what never reached the server.
    pub from_client: Vec<u8>,
    /// What the client was given of the server's words.
    pub to_client: Vec<u8>,
}

/// The traffic of one connection, as it grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Arc<Mutex<Traffic>>);

impl Record {
    pub(super) fn read(&self) -> Traffic {
        self.lock().clone()
    }

    pub(super) fn heard_from_client(&self, bytes: &[u8]) {
        self.lock().from_client.extend_from_slice(bytes);
    }

    pub(super) fn passed_on(&self, way: Way, bytes: &[u8]) {
        if way == Way::ToClient {
            self.lock().to_client.extend_from_slice(bytes);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
