//! Telling the workers of this process that something has changed in the store.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::clock::{Clock, Hold};

/// The workers of this process, as far as they run.
#[derive(Debug, Default)]
pub(super) struct Pokes(Mutex<Vec<mpsc::UnboundedSender<Hold>>>);

impl Pokes {
    /// From here on, every poke is heard.
    pub(super) fn subscribe(&self) -> mpsc::UnboundedReceiver<Hold> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sender);
        receiver
    }

    /// Pokes all. Each takes a hold with it: time that is driven by a program waits for them.
    pub(super) fn poke(&self, clock: &Arc<dyn Clock>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|worker| worker.send(clock.hold()).is_ok());
    }
}
