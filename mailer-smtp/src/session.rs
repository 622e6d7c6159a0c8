mod overlap;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock, SystemClock};
use mailer_core::domain::{Email, HaltCause, Outcome};
use mailer_core::transport::{ConnectError, InFlight, Permit, Session, Work};
use tokio::sync::OwnedSemaphorePermit;

use crate::classify::{Connection, HaltKind};
use crate::dial::Line;
use crate::mail::Mail;
use crate::relay::Relay;
use crate::render::Unsendable;
use crate::transaction::envelope::Answer;
use crate::transaction::{Done, Opening, Stale, envelope};

/// So many mails in a row may be refused on a connection. After 20 errors without a delivery between them Postfix hangs up
/// (`smtpd_hard_error_limit`), and from the tenth on it answers a second late (`smtpd_soft_error_limit`): fewer here would
/// spare a list of unknown recipients that wait, and cost it more connections.
const MOST_REFUSALS: u32 = 10;

/// One connection to the relay, and its place among those that may be open.
#[derive(Debug)]
pub(crate) struct SmtpSession {
    relay: Arc<Relay>,
    line: Line,
    mail: Mail,
    /// The mail behind it.
    next: Mail,
    /// Mails that this connection has carried, and how many the relay has refused since it took one.
    served: u32,
    refused: u32,
    /// Whether the last mail was followed at once: so this one may be, too.
    has_next: bool,
    is_over: bool,
    /// The last field: the place becomes free when the connection is closed.
    _slot: OwnedSemaphorePermit,
}

/// The mail in hand, begun.
struct Begun {
    flight: InFlight,
    opening: Opening,
}

#[async_trait]
impl Session for SmtpSession {
    async fn serve(&mut self, work: &mut Work) {
        let mut behind = None;
        loop {
            let begun = match behind.take() {
                Some(begun) => begun,
                None if self.is_over || self.is_used_up() => break,
                None => {
                    let Some((permit, email)) = self.pull(work).await else {
                        break;
                    };
                    match self.begin(permit, email).await {
                        Some(begun) => begun,
                        None => continue,
                    }
                }
            };
            behind = self.deliver(begun, work).await;
        }
        let limit = self.relay.settings.limits.quit;
        if self.is_over {
            self.line.wire.close(limit).await;
        } else {
            work.retire();
            self.line.quit(limit).await;
        }
        self.is_over = true;
    }
}

impl SmtpSession {
    pub(crate) fn new(relay: Arc<Relay>, line: Line, slot: OwnedSemaphorePermit) -> Self {
        Self {
            relay,
            line,
            mail: Mail::default(),
            next: Mail::default(),
            served: 0,
            refused: 0,
            has_next: false,
            is_over: false,
            _slot: slot,
        }
    }

    /// The next mail; none: there is no more, or the connection should not wait any longer.
    async fn pull(&mut self, work: &mut Work) -> Option<(Permit, Email)> {
        let idle = self.relay.settings.idle_timeout.min(self.time_left());
        let asked = SystemClock.monotonic();
        // Both are safe to drop: a mail stays in `work`, and bytes that have come stay in the line.
        let next = tokio::select! {
            biased;
            next = work.next() => next,
            unasked = self.line.wire.unasked(idle) => {
                // The relay has closed the connection, or says what nobody asked for.
                self.is_over = unasked.is_ok();
                None
            }
        };
        self.has_next = SystemClock.monotonic().saturating_sub(asked) <= overlap::MOMENT;
        next
    }

    /// Makes it the mail in hand, if it can be sent.
    async fn begin(&mut self, permit: Permit, email: Email) -> Option<Begun> {
        // A kept connection that the relay has closed meanwhile is replaced before the permit is used.
        if !self.line.wire.is_quiet().await && self.redial().await.is_err() {
            return None;
        }
        let written = self
            .mail
            .write(email, &self.line.extensions, &self.relay.bodies);
        let flight = permit.begin().ok()?;
        match written {
            Ok(()) => Some(Begun {
                flight,
                opening: match (self.served, self.refused) {
                    (0, _) => Opening::Fresh,
                    (_, 0) => Opening::Kept,
                    _ => Opening::AfterRefusal,
                },
            }),
            Err(unsendable) => {
                flight.finish(unsendable.outcome());
                None
            }
        }
    }

    /// Sends the mail in hand. Returns the one behind it, if its envelope has left by then.
    async fn deliver(&mut self, begun: Begun, work: &mut Work) -> Option<Begun> {
        let Begun { flight, opening } = begun;
        let (done, behind) = match self.introduce(opening).await {
            Err(outcome) => {
                flight.finish(outcome);
                return None;
            }
            Ok(Answer::Done(done)) if done.is_misunderstood => (self.misunderstood(done), None),
            Ok(Answer::Done(done)) => (done, None),
            Ok(Answer::Go) => {
                if let Some(sender) = self.mail.sender() {
                    self.relay.misunderstandings.accepted(sender);
                }
                self.carry(&flight, work).await
            }
        };
        self.served += 1;
        self.refused = match done.outcome {
            Outcome::Sent { .. } => 0,
            _ => self.refused + 1,
        };
        flight.finish(done.outcome);
        match (done.connection, behind) {
            (Connection::Close | Connection::Helo, None) => self.is_over = true,
            // A reset would throw its envelope away, too.
            (Connection::Close | Connection::Helo | Connection::Reset, Some(flight)) => {
                return self.rescue(flight).await;
            }
            (Connection::Reset, None) => {
                self.is_over |= !self.is_used_up() && !self.line.reset(&self.relay).await;
            }
            (Connection::Keep, None) => {}
            (Connection::Keep, Some(flight)) => {
                std::mem::swap(&mut self.mail, &mut self.next);
                let opening = Opening::Behind;
                return Some(Begun { flight, opening });
            }
        }
        None
    }

    /// Sends the envelope of the mail in hand; if a kept connection turns out to be gone before the relay has said
    /// anything, once more on a fresh one.
    ///
    /// # Errors
    /// What became of the mail, if there is none that it can be sent on.
    async fn introduce(&mut self, opening: Opening) -> Result<Answer, Outcome> {
        let limits = &self.relay.settings.limits;
        match envelope::send(&mut self.line, &self.mail, limits, opening).await {
            Ok(answer) => return Ok(answer),
            Err(Stale::Closed) => {}
            Err(Stale::Swallowed) => self.relay.overlaps.store(false, Ordering::Relaxed),
        }
        self.start_over().await?;
        let limits = &self.relay.settings.limits;
        let fresh = envelope::send(&mut self.line, &self.mail, limits, Opening::Fresh).await;
        // A fresh connection is never stale.
        Ok(fresh.unwrap_or_else(|_stale| {
            Answer::Done(Done::closing(Outcome::TransientRelay {
                reply: "the relay closed two connections in turn".to_owned(),
            }))
        }))
    }

    /// The relay did not understand the envelope. It may on another day; if not, somebody must act.
    fn misunderstood(&self, done: Done) -> Done {
        let is_repeated = self.mail.sender().is_some_and(|sender| {
            let now = SystemClock.monotonic();
            self.relay
                .misunderstandings
                .noted(sender, self.line.opened_at, now)
        });
        match done.outcome {
            Outcome::TransientRelay { reply } if is_repeated => {
                Done::closing(Outcome::PermanentConfig {
                    cause: HaltKind::Sender.cause(),
                    reply,
                })
            }
            _ => done,
        }
    }

    /// Replaces the connection under the mail in hand.
    ///
    /// # Errors
    /// What became of the mail, if it cannot be sent on another.
    async fn start_over(&mut self) -> Result<(), Outcome> {
        self.redial().await.map_err(not_connected)?;
        // Behind a balancer this may be another relay, which offers less than the mail was written for.
        self.mail
            .write_again(&self.line.extensions, &self.relay.bodies)
            .map_err(Unsendable::outcome)
    }

    /// Replaces the connection, in the same place; without another one the session is over.
    async fn redial(&mut self) -> Result<(), ConnectError> {
        // The old one goes first, so that there is never one more than allowed.
        self.line.wire.close(self.relay.settings.limits.quit).await;
        self.is_over = true;
        self.line = Line::open(&self.relay).await?;
        self.is_over = false;
        (self.served, self.refused) = (0, 0);
        Ok(())
    }

    fn is_used_up(&self) -> bool {
        self.served >= self.relay.settings.messages_per_connection
            || self.refused >= MOST_REFUSALS
            || self.time_left().is_zero()
    }

    /// How long until the connection is too old.
    fn time_left(&self) -> Duration {
        let age = SystemClock.monotonic().saturating_sub(self.line.opened_at);
        self.relay.settings.connection_age.saturating_sub(age)
    }
}

/// The outcome of a mail that had begun when its connection could not be replaced.
fn not_connected(error: ConnectError) -> Outcome {
    match error {
        ConnectError::Transient { reply } => Outcome::TransientRelay { reply },
        full @ ConnectError::Full { .. } => Outcome::TransientRelay {
            reply: full.to_string(),
        },
        ConnectError::Limited { reply, retry_after } => {
            Outcome::RelayLimited { reply, retry_after }
        }
        // The relay greets nobody, whoever the sender is. The engine's next connection tells it so of all mails.
        ConnectError::Config {
            cause: HaltCause::SenderRefused,
            reply,
        } => Outcome::TransientRelay { reply },
        ConnectError::Config { cause, reply } => Outcome::PermanentConfig { cause, reply },
    }
}
