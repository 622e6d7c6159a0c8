//! What connections report: readiness, outcomes, ends.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::mail::Stage;
use super::outcome::{Then, consequence, defer_relay, patience};
use super::{Connection, Plan, Step};
use crate::domain::{Failure, HaltCause, OnUnknown, Outcome, Reason, RelayName, Scope};
use crate::observer::Event;
use crate::queue::{Halt, Settled, Wait};
use crate::transport::{ConnectError, End, Report};

impl Plan {
    pub(super) fn next_connect(&mut self, now: Duration) -> Option<Step> {
        if self.stopping.is_some() {
            return None;
        }
        let name = self
            .relays
            .iter()
            .find(|(name, relay)| {
                // Where no more may be opened, nothing needs to be counted.
                let ready = || self.hand.ready(name, self.scarcity.soon());
                relay.wanted(usize::MAX, now) > 0 && relay.wanted(ready(), now) > 0
            })
            .map(|(name, _)| name.clone())?;
        let connection = self.number();
        self.relays.get_mut(&name)?.connecting.insert(connection);
        self.connections.insert(
            connection,
            Connection {
                relay: name.clone(),
                since: self.time.at(now),
                opened_at: now,
                carried: false,
                in_flight: 0,
            },
        );
        Some(Step::Connect {
            relay: name,
            connection,
        })
    }

    /// A stopping worker lets its idle connections go.
    pub(super) fn next_close(&mut self) -> Option<Step> {
        self.stopping?;
        let connection = self
            .relays
            .values_mut()
            .find_map(|relay| relay.idle.pop_first())?;
        Some(Step::Close { connection })
    }

    pub(super) fn report(&mut self, now: Duration, report: Report) {
        match report {
            Report::Ready { connection } => {
                let is_behind = self
                    .connections
                    .get(&connection)
                    .is_some_and(|connection| connection.in_flight > 0);
                if let Some(relay) = self.relay_of(connection) {
                    relay.lose(connection);
                    match is_behind {
                        true => relay.behind.insert(connection),
                        false => relay.idle.insert(connection),
                    };
                }
            }
            Report::Finished { flight, outcome } => {
                if let Outcome::Sent { .. } = outcome
                    && let Some(mail) = self.hand.mail(flight)
                    && let Some(relay) = self.relays.get_mut(&mail.binding.relay)
                {
                    relay.succeeded(now);
                }
                self.outcome(now, flight, outcome);
            }
            Report::Closed { connection, end } => {
                if let Some(relay) = self.relay_of(connection) {
                    relay.lose(connection);
                }
                let Some(gone) = self.connections.remove(&connection) else {
                    return;
                };
                let error = match end {
                    End::Failed(error) => Some(error),
                    // A stopping worker closes connections by itself.
                    End::Over if self.stopping.is_none() => gone.fruitless(now),
                    End::Over | End::Retired => None,
                };
                if let Some(error) = error {
                    self.connect_failed(now, gone, error);
                }
            }
        }
    }

    fn relay_of(&mut self, connection: u64) -> Option<&mut super::relay::Relay> {
        let name = &self.connections.get(&connection)?.relay;
        self.relays.get_mut(name)
    }

    fn outcome(&mut self, now: Duration, flight: u64, outcome: Outcome) {
        let Some(&Stage::Flying(begun_at, connection)) =
            self.hand.mail(flight).map(|mail| &mail.stage)
        else {
            return;
        };
        if let Some(number) = connection {
            self.landed(number, outcome != Outcome::NotStarted);
        }
        let Some(mail) = self.hand.mail(flight) else {
            return;
        };
        let (relay, is_campaign) = (
            mail.binding.relay.clone(),
            mail.binding.stream.campaign().is_some(),
        );
        match consequence(outcome.clone(), mail.delivery.on_unknown).then {
            Then::Nothing => self.finished(flight, outcome),
            Then::Defer(reason, wait) => {
                self.finished(flight, outcome.clone());
                self.relay_in_trouble(now, &relay, reason, wait, words(outcome), begun_at);
            }
            Then::Halt(cause) if is_of_relay(&cause) => {
                self.tell_finished(flight, outcome.code());
                self.config_failed(now, &relay, Some(flight), &cause, &words(outcome), begun_at);
            }
            // Each campaign has a sender of its own: that others are served says nothing about this one.
            Then::Halt(cause) if is_campaign => {
                let stream = mail.binding.stream.clone();
                self.finished(flight, outcome.clone());
                self.steps.push_back(Step::Halt(Halt {
                    stream: stream.clone(),
                    cause,
                    detail: words(outcome),
                    unless_sent_since: None,
                }));
                let rest = self.hand.waiting(|mail| mail.binding.stream == stream);
                self.release(&rest);
            }
            Then::Halt(cause) => {
                self.tell_finished(flight, outcome.code());
                let why = format!("{cause}: {}", words(outcome));
                self.settle(flight, Settled::Failed(Failure::Config), why);
            }
        }
    }

    /// A mail of this connection has come to an end.
    fn landed(&mut self, number: u64, was_carried: bool) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.carried |= was_carried;
        connection.in_flight = connection.in_flight.saturating_sub(1);
        if connection.in_flight == 0
            && let Some(relay) = self.relays.get_mut(&connection.relay)
            && relay.behind.remove(&number)
        {
            relay.idle.insert(number);
        }
    }

    fn connect_failed(&mut self, now: Duration, gone: Connection, error: ConnectError) {
        self.events.push(Event::ConnectFailed {
            relay: gone.relay.to_string(),
            detail: error.to_string(),
        });
        let is_alone = self
            .relays
            .get_mut(&gone.relay)
            .is_some_and(|relay| relay.refused(now));
        match error {
            ConnectError::Config { cause, reply } => {
                self.config_failed(now, &gone.relay, None, &cause, &reply, gone.since);
            }
            // Others are served: this one was one too many.
            ConnectError::Transient { .. }
            | ConnectError::Limited { .. }
            | ConnectError::Full { .. }
                if !is_alone => {}
            ConnectError::Full { .. } => self.crowded_out(now, &gone.relay),
            ConnectError::Transient { reply } => {
                let wait = Wait::AfterTrouble;
                self.relay_in_trouble(
                    now,
                    &gone.relay,
                    Reason::TransientError,
                    wait,
                    reply,
                    gone.since,
                );
            }
            ConnectError::Limited { reply, retry_after } => {
                let wait = patience(retry_after);
                self.relay_in_trouble(
                    now,
                    &gone.relay,
                    Reason::RelayLimited,
                    wait,
                    reply,
                    gone.since,
                );
            }
        }
    }

    /// This worker gets nothing through until somebody acts, as it has found out by this mail or before any. Perhaps others
    /// do.
    fn config_failed(
        &mut self,
        now: Duration,
        name: &RelayName,
        met_by: Option<u64>,
        cause: &HaltCause,
        why: &str,
        since: DateTime<Utc>,
    ) {
        let waiting = self.hand.waiting(|mail| mail.binding.relay == *name);
        let flights: Vec<u64> = met_by.into_iter().chain(waiting).collect();
        self.close_relay(now, name);
        self.stop_streams(&flights, cause, why, Some(since));
    }

    /// Others have all connections: they can send what would only wait here.
    fn crowded_out(&mut self, now: Duration, name: &RelayName) {
        if let Some(relay) = self.relays.get_mut(name) {
            relay.rest(now);
        }
        let waiting = self.hand.waiting(|mail| mail.binding.relay == *name);
        self.release(&waiting);
    }

    /// Defers the relay for everybody, unless somebody has got a mail through since the failing attempt began.
    fn relay_in_trouble(
        &mut self,
        now: Duration,
        name: &RelayName,
        reason: Reason,
        wait: Wait,
        why: String,
        attempt_began: DateTime<Utc>,
    ) {
        let scope = Scope::Relay(name.clone());
        // Fifty mails in flight that fail together are one trouble.
        if !self.settled.defers.iter().any(|defer| defer.scope == scope) {
            self.settled
                .defers
                .push(defer_relay(scope, reason, wait, why, attempt_began));
        }
        self.close_relay(now, name);
        let waiting = self.hand.waiting(|mail| mail.binding.relay == *name);
        self.release(&waiting);
    }

    fn close_relay(&mut self, now: Duration, name: &RelayName) {
        if let Some(relay) = self.relays.get_mut(name)
            && relay.closed_until <= now
        {
            relay.close(now);
        }
    }
}

/// A connection that ends so soon without having carried a mail was as good as refused.
const FRUITLESS_WITHIN: Duration = Duration::from_secs(5);

impl Connection {
    /// The error of a connection that was opened and at once closed, again and again, if nobody counted it as one.
    fn fruitless(&self, now: Duration) -> Option<ConnectError> {
        let is_fruitless = !self.carried && now.saturating_sub(self.opened_at) < FRUITLESS_WITHIN;
        is_fruitless.then(|| ConnectError::Transient {
            reply: "the connection was closed before it carried a mail".to_owned(),
        })
    }
}

/// Whether what is wrong is wrong for all mails of the relay.
fn is_of_relay(cause: &HaltCause) -> bool {
    matches!(
        cause,
        HaltCause::BadCredentials | HaltCause::TlsRefused | HaltCause::RelayMissing
    )
}

/// The relay's words in an outcome.
fn words(outcome: Outcome) -> String {
    consequence(outcome, OnUnknown::AssumeSent).detail
}
