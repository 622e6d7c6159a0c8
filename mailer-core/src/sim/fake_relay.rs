use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::clock::{Clock, SystemClock};
use crate::domain::{Email, Outcome};
use crate::transport::{ConnectError, Session, Transport, Work};

/// A relay that takes every mail and keeps a record, or answers as it is told. Clones share the record.
///
/// ```
/// use mailer_core::domain::Outcome;
/// use mailer_core::sim::FakeRelay;
///
/// let relay = FakeRelay::new().connections(2);
/// relay.answer("bob@example.com", [Outcome::TransientRecipient { reply: "450 4.2.1".into(), retry_after: None }]);
/// assert!(relay.mails().is_empty());
/// ```
#[derive(Clone)]
pub struct FakeRelay {
    connections: usize,
    latency: Duration,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

/// A mail that a [`FakeRelay`] was handed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FakeMail {
    /// When its `MAIL FROM` left.
    pub begun_at: DateTime<Utc>,
    /// The mail.
    pub email: Email,
    /// What the relay answered.
    pub outcome: Outcome,
}

#[derive(Debug, Default)]
struct State {
    mails: Vec<FakeMail>,
    answers: Vec<(String, VecDeque<Outcome>)>,
    down: Option<ConnectError>,
    hangs_up: bool,
    taken: usize,
    open: usize,
    peak: usize,
}

impl FakeRelay {
    /// A relay with 4 connections that answers at once. Give it the simulation's clock with [`clock`](Self::clock);
    /// [`Sim`](super::Sim) does.
    #[must_use]
    pub fn new() -> Self {
        Self {
            connections: 4,
            latency: Duration::ZERO,
            clock: Arc::new(SystemClock),
            state: Arc::default(),
        }
    }

    /// How many connections it may have.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How long it takes over a mail.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The clock that it takes its time by.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Answers the next mails to `address` so, one after the other; then as to anybody.
    pub fn answer(&self, address: &str, outcomes: impl IntoIterator<Item = Outcome>) {
        self.lock()
            .answers
            .push((address.to_owned(), outcomes.into_iter().collect()));
    }

    /// From here on no connection is taken, and those that are open break.
    pub fn go_down(&self, error: ConnectError) {
        self.lock().down = Some(error);
    }

    /// From here on connections are taken, and closed before they carry a mail.
    pub fn hang_up(&self) {
        self.lock().hangs_up = true;
    }

    /// How many connections were taken so far.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.lock().taken
    }

    /// From here on connections are taken again.
    pub fn come_up(&self) {
        let mut state = self.lock();
        state.down = None;
        state.hangs_up = false;
    }

    /// Every mail that it was handed, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<FakeMail> {
        self.lock().mails.clone()
    }

    /// The addresses of mails that it took.
    #[must_use]
    pub fn sent(&self) -> Vec<String> {
        self.lock()
            .mails
            .iter()
            .filter(|mail| matches!(mail.outcome, Outcome::Sent { .. }))
            .map(|mail| mail.email.to.address().as_str().to_owned())
            .collect()
    }

    /// The most connections that were open at a time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.lock().peak
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a mail. Returns the answer, and whether the connection breaks.
    fn take(&mut self, begun_at: DateTime<Utc>, email: Email) -> (Outcome, bool) {
        let outcome = self.answer_to(email.to.address().as_str());
        self.mails.push(FakeMail {
            begun_at,
            email,
            outcome: outcome.clone(),
        });
        (outcome, self.down.is_some())
    }

    fn answer_to(&mut self, address: &str) -> Outcome {
        if let Some(error) = &self.down {
            return Outcome::TransientRelay {
                reply: error.to_string(),
            };
        }
        self.answers
            .iter_mut()
            .filter(|(to, _)| to == address)
            .find_map(|(_, outcomes)| outcomes.pop_front())
            .unwrap_or_else(|| Outcome::Sent {
                reply: "250 2.0.0 Ok".to_owned(),
            })
    }
}

impl Default for FakeRelay {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FakeRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeRelay")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for FakeRelay {
    fn max_connections(&self) -> usize {
        self.connections
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        let mut state = self.lock();
        if let Some(error) = &state.down {
            return Err(error.clone());
        }
        state.taken += 1;
        state.open += 1;
        state.peak = state.peak.max(state.open);
        drop(state);
        Ok(Box::new(FakeSession {
            relay: self.clone(),
        }))
    }
}

#[derive(Debug)]
struct FakeSession {
    relay: FakeRelay,
}

#[async_trait]
impl Session for FakeSession {
    async fn serve(&mut self, work: &mut Work) {
        if self.relay.lock().hangs_up {
            return;
        }
        while let Some((permit, email)) = work.next().await {
            let Ok(flight) = permit.begin() else {
                continue;
            };
            let begun_at = self.relay.clock.now();
            // Half on the way there, half on the way back: a worker may die with the mail taken and the reply not read.
            self.relay.clock.sleep(self.relay.latency / 2).await;
            let (outcome, is_broken) = self.relay.lock().take(begun_at, email);
            self.relay.clock.sleep(self.relay.latency / 2).await;
            flight.finish(outcome);
            if is_broken {
                return;
            }
        }
    }
}

impl Drop for FakeSession {
    fn drop(&mut self) {
        self.relay.lock().open -= 1;
    }
}
