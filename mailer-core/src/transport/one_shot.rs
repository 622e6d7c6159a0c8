use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::{ConnectError, Permit, Session, Transport, Work};
use crate::clock::{Clock, SystemClock};
use crate::domain::{Email, Outcome};

/// How long a connection waits for its place.
const PLACE_WITHIN: Duration = Duration::from_secs(5);
/// How long a place is kept without a mail: somebody else may wait for it, and a new one costs nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// So many mails, and it is the turn of who waits.
const TURN: u32 = 100;

/// A transport made of a function that sends one mail: an HTTP service, or a library with connections of its own.
///
/// The function is called when the gate has let a mail begin, so queue, limits and ledger hold for it as for any transport.
///
/// # Contract
/// The function
/// - says `Sent` only if the other side said so itself, about this mail;
/// - says `Unknown` if the mail may have left and no answer came; what is known not to have left is `TransientRelay`, and
///   what was never begun `NotStarted`;
/// - returns within [`time_limit`](Self::time_limit). A call that takes longer goes on by itself, since a send that is
///   dropped midway can leave a library's connection behind in the middle of a conversation; its mail is then unknown, and
///   its place stays taken until it returns. So does a call whose worker has stopped.
///
/// A panic of the function leaves its mail unknown.
///
/// ```
/// use mailer_core::domain::{Email, Outcome};
/// use mailer_core::transport::{OneShot, Transport};
///
/// async fn post(email: Email) -> Outcome {
///     match email.to.address().domain() {
///         "example.com" => Outcome::Sent { reply: "202 accepted".to_owned() },
///         _ => Outcome::TransientRelay { reply: "503 try later".to_owned() },
///     }
/// }
///
/// let service = OneShot::new(post).connections(4);
/// assert_eq!(service.max_connections(), 4);
/// ```
#[derive(Clone)]
pub struct OneShot {
    send: Arc<SendOne>,
    connections: usize,
    slots: Arc<Semaphore>,
    time_limit: Duration,
    clock: Arc<dyn Clock>,
}

type SendOne = dyn Fn(Email) -> Sending + Send + Sync;
type Sending = Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl OneShot {
    /// Sends by this function: 8 mails at a time, and each within 10 minutes.
    pub fn new<F, S>(send: F) -> Self
    where
        F: Fn(Email) -> S + Send + Sync + 'static,
        S: Future<Output = Outcome> + Send + 'static,
    {
        Self {
            send: Arc::new(move |email| Box::pin(send(email))),
            connections: 0,
            slots: Arc::new(Semaphore::new(0)),
            time_limit: Duration::from_secs(600),
            clock: Arc::new(SystemClock),
        }
        .connections(8)
    }

    /// How many mails are sent at a time: 8, if not given, and at least one. Clones share it, and take turns.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.clamp(1, Semaphore::MAX_PERMITS);
        self.slots = Arc::new(Semaphore::new(self.connections));
        self
    }

    /// How long a mail may take before nobody waits for its outcome any longer: 10 minutes, if not given.
    ///
    /// Mails that are sent again when nobody knows ([`OnUnknown::Resend`](crate::domain::OnUnknown::Resend)) are so 15
    /// minutes after they began; a limit that is longer lets both be under way.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// The clock that it waits by: the machine's, if not given. The function should wait by the same.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for OneShot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneShot")
            .field("connections", &self.connections)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for OneShot {
    fn max_connections(&self) -> usize {
        self.connections
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        let slot = tokio::select! {
            biased;
            slot = Arc::clone(&self.slots).acquire_owned() => slot.ok(),
            () = self.clock.sleep(PLACE_WITHIN) => None,
        };
        // The semaphore is never closed, so the only failure is time.
        let slot = slot.ok_or(ConnectError::Full {
            most: self.connections,
        })?;
        Ok(Box::new(OneByOne {
            send: Arc::clone(&self.send),
            time_limit: self.time_limit,
            clock: Arc::clone(&self.clock),
            slot: Arc::new(slot),
        }))
    }
}

/// Sends one mail after the other.
struct OneByOne {
    send: Arc<SendOne>,
    time_limit: Duration,
    clock: Arc<dyn Clock>,
    /// Shared with a call that goes on by itself.
    slot: Arc<OwnedSemaphorePermit>,
}

#[async_trait]
impl Session for OneByOne {
    async fn serve(&mut self, work: &mut Work) {
        for _ in 0..TURN {
            let Some((permit, email)) = self.pull(work).await else {
                return;
            };
            let Ok(flight) = permit.begin() else {
                continue;
            };
            if !flight.may_finish() {
                flight.finish(Outcome::TransientRelay {
                    reply: "it was too late to send the mail".to_owned(),
                });
                continue;
            }
            let mut call = self.call(email);
            tokio::select! {
                ended = &mut call => flight.finish(ended.unwrap_or_else(|error| Outcome::Unknown {
                    reply: format!("sending it broke off: {error}"),
                })),
                () = self.clock.sleep(self.time_limit) => {
                    flight.finish(Outcome::Unknown {
                        reply: format!("sending it took longer than {:?}", self.time_limit),
                    });
                    return;
                }
            }
        }
    }
}

impl OneByOne {
    /// The next mail; none: there is no more, or none has come for a while.
    async fn pull(&self, work: &mut Work) -> Option<(Permit, Email)> {
        // Time that is driven by a program knows who sleeps by their holds.
        let _hold = self.clock.hold();
        tokio::select! {
            biased;
            next = work.next() => next,
            () = self.clock.sleep(IDLE_TIMEOUT) => {
                work.retire();
                None
            }
        }
    }

    /// A task of its own, so that nothing cuts it short.
    fn call(&self, email: Email) -> JoinHandle<Outcome> {
        let (send, slot) = (Arc::clone(&self.send), Arc::clone(&self.slot));
        let hold = self.clock.hold();
        tokio::spawn(async move {
            let outcome = send(email).await;
            drop((slot, hold));
            outcome
        })
    }
}

impl fmt::Debug for OneByOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneByOne")
    }
}
