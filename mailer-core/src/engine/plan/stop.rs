//! Somebody must act: campaigns halt, single mails fail.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::outcome::defer_relay;
use super::{Failing, Plan, Step};
use crate::Error;
use crate::domain::{Deferral, Failure, HaltCause, Reason, Scope};
use crate::observer::Event;
use crate::queue::{Halt, Settled, Wait};

/// How long a relay waits of which the store says that nobody gets a mail through it.
const MOMENT: Duration = Duration::from_secs(1);

impl Plan {
    /// Somebody must act before the streams of these mails can go on: campaigns halt, single mails fail. If an instant is
    /// named, only where nobody has got a mail through the relay since, for which the mails go back otherwise.
    pub(super) fn stop_streams(
        &mut self,
        flights: &[u64],
        cause: &HaltCause,
        why: &str,
        unless_sent_since: Option<DateTime<Utc>>,
    ) {
        let mut halted = BTreeSet::new();
        let mut single = Vec::new();
        for flight in flights {
            let Some(mail) = self.hand.mail(*flight) else {
                continue;
            };
            let stream = mail.binding.stream.clone();
            if stream.campaign().is_none() {
                single.push(*flight);
                continue;
            }
            if halted.insert(stream.clone()) {
                self.steps.push_back(Step::Halt(Halt {
                    stream,
                    cause: cause.clone(),
                    detail: why.to_owned(),
                    unless_sent_since,
                }));
            }
            self.go_back(*flight, why);
        }
        let words = format!("{cause}: {why}");
        match unless_sent_since {
            Some(since) => self.fail_unless_sent(single, &words, since),
            None => {
                let failure = match cause {
                    HaltCause::ComposeFailed => Failure::Compose,
                    _ => Failure::Config,
                };
                for flight in single {
                    self.settle(flight, Settled::Failed(failure), words.clone());
                }
            }
        }
    }

    /// A single mail has no stream that could halt for it. So the relay waits for a moment on the same condition: that it
    /// does is the store's word that nobody gets anything through.
    fn fail_unless_sent(&mut self, flights: Vec<u64>, why: &str, since: DateTime<Utc>) {
        let Some(mail) = flights.first().and_then(|flight| self.hand.mail(*flight)) else {
            return;
        };
        let scope = Scope::Relay(mail.binding.relay.clone());
        let (reason, wait) = (Reason::TransientError, Wait::For(MOMENT));
        let defer = defer_relay(scope, reason, wait, why.to_owned(), since);
        for flight in &flights {
            self.hand.is_failing(*flight);
        }
        self.steps.push_back(Step::Fail(Failing { flights, defer }));
    }

    pub(super) fn failing_answered(
        &mut self,
        failing: Failing,
        result: Result<Option<Deferral>, Error>,
    ) {
        let Failing { flights, defer } = failing;
        let why = defer.detail.unwrap_or_default();
        match result {
            Ok(Some(deferral)) => {
                self.events.push(Event::Deferred(deferral));
                for flight in flights {
                    self.settle(flight, Settled::Failed(Failure::Config), why.clone());
                }
                return;
            }
            Ok(None) => {}
            // The next worker that meets the fault asks again.
            Err(error) => self.store_failed(Some(error)),
        }
        for flight in flights {
            self.go_back(flight, &why);
        }
    }

    /// A mail goes back to its place, for others to send.
    fn go_back(&mut self, flight: u64, why: &str) {
        match self.hand.mail(flight) {
            Some(mail) if mail.has_begun() => {
                self.settle(flight, Settled::Returned, why.to_owned());
            }
            _ => self.release(&[flight]),
        }
    }

    pub(super) fn halted(&mut self, halt: Halt, result: Result<bool, Error>) {
        match result {
            Ok(true) => self.events.push(event_of(halt)),
            Ok(false) => {}
            // The next worker that meets the fault halts it.
            Err(error) => self.store_failed(Some(error)),
        }
    }
}

pub(super) fn event_of(halt: Halt) -> Event {
    Event::Halted {
        stream: halt.stream,
        cause: halt.cause.code().to_owned(),
        detail: halt.detail,
    }
}
