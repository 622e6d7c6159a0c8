//! One connection that many calls share, and that is replaced when it fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::{RedisError, RedisResult};

use super::dial::{Connection, Dialer};

/// A place for one connection. Whoever finds it empty dials; whoever comes meanwhile waits and shares the outcome.
#[derive(Default)]
pub(super) struct Line {
    held: Mutex<Held>,
    dialling: tokio::sync::Mutex<Option<Failed>>,
    failures: AtomicU64,
}

#[derive(Default)]
struct Held {
    /// How many connections there have been.
    number: u64,
    connection: Option<Connection>,
}

/// The last attempt that failed, and which one in a row it was.
struct Failed {
    number: u64,
    error: RedisError,
}

/// A connection and its number in its line.
pub(super) struct Ready {
    number: u64,
    pub(super) connection: Connection,
}

impl Line {
    /// The connection, dialled anew where there is none.
    pub(super) async fn connection(&self, dialer: &Dialer) -> RedisResult<Ready> {
        if let Some(ready) = self.ready() {
            return Ok(ready);
        }
        let before = self.failures.load(Ordering::Acquire);
        let mut failed = self.dialling.lock().await;
        if let Some(ready) = self.ready() {
            return Ok(ready);
        }
        // Without this, calls that wait for a silent server would wait one after the other.
        if let Some(failed) = failed.as_ref().filter(|failed| failed.number > before) {
            return Err(failed.error.clone());
        }
        match dialer.dial().await {
            Ok(connection) => Ok(self.hold(connection)),
            Err(error) => {
                let number = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
                let error_for_others = error.clone();
                *failed = Some(Failed {
                    number,
                    error: error_for_others,
                });
                Err(error)
            }
        }
    }

    /// Takes this connection out of service; calls that are on it end by themselves. A newer one stays.
    pub(super) fn forget(&self, ready: &Ready) {
        let mut held = self.lock();
        if held.number == ready.number {
            held.connection = None;
        }
    }

    /// Takes whatever is there out of service.
    pub(super) fn clear(&self) {
        self.lock().connection = None;
    }

    fn ready(&self) -> Option<Ready> {
        let held = self.lock();
        held.connection.clone().map(|connection| Ready {
            number: held.number,
            connection,
        })
    }

    fn hold(&self, connection: Connection) -> Ready {
        let mut held = self.lock();
        held.number += 1;
        held.connection = Some(connection.clone());
        Ready {
            number: held.number,
            connection,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
