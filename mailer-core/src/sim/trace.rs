use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::observer::{Event, Observer};

/// Keeps every event, in order. Clones share the record.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<Traced>>>);

/// An event, and when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traced {
    /// By the worker's clock.
    pub at: DateTime<Utc>,
    /// What has happened.
    pub event: Event,
}

impl Trace {
    /// Every event so far.
    #[must_use]
    pub fn events(&self) -> Vec<Traced> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Observer for Trace {
    fn on(&self, now: DateTime<Utc>, event: &Event) {
        let traced = Traced {
            at: now,
            event: event.clone(),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(traced);
    }
}
