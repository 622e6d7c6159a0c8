use std::sync::Arc;

use async_trait::async_trait;
use mailer_core::domain::{Email, Outcome};
use mailer_core::transport::{ConnectError, InFlight, Permit, Session, Work};
use tokio::sync::OwnedSemaphorePermit;

use crate::dial::Line;
use crate::mail::Mail;
use crate::relay::Relay;
use crate::transaction::{After, Done, Stale, transact};

/// A relay may close a connection on which too much was refused (Postfix after 20 refusals, and each mail can have two).
const MOST_REFUSALS: u32 = 10;

/// One connection to the relay, and its place among those that may be open.
#[derive(Debug)]
pub(crate) struct SmtpSession {
    relay: Arc<Relay>,
    line: Line,
    mail: Mail,
    /// Mails that this connection has carried, and how many of them the relay refused.
    served: u32,
    refused: u32,
    is_over: bool,
    /// The last field: the place becomes free when the connection is closed.
    _slot: OwnedSemaphorePermit,
}

impl SmtpSession {
    pub(crate) fn new(relay: Arc<Relay>, line: Line, slot: OwnedSemaphorePermit) -> Self {
        Self {
            relay,
            line,
            mail: Mail::default(),
            served: 0,
            refused: 0,
            is_over: false,
            _slot: slot,
        }
    }

    /// The next mail; none: there is no more, or the connection should not wait any longer.
    async fn next(&mut self, work: &mut Work) -> Option<(Permit, Email)> {
        let idle = self.relay.settings.idle_timeout;
        // Both are safe to drop: a mail stays in `work`, and bytes that have come stay in the line.
        tokio::select! {
            biased;
            next = work.next() => next,
            unasked = self.line.wire.unasked(idle) => {
                // The relay has closed the connection, or says what nobody asked for.
                self.is_over = unasked.is_ok();
                None
            }
        }
    }

    async fn deliver(&mut self, permit: Permit, email: &Email) {
        // A kept connection that the relay has closed meanwhile is replaced before the permit is used.
        if !self.line.wire.is_quiet().await && self.redial().await.is_err() {
            self.is_over = true;
            return;
        }
        let written = self
            .mail
            .write(email, &self.line.extensions, &self.relay.bodies);
        let Ok(flight) = permit.begin() else {
            return;
        };
        if let Err(unsendable) = written {
            flight.finish(unsendable.outcome());
            return;
        }
        let done = self.transact(&flight).await;
        self.served += 1;
        self.refused += u32::from(!matches!(done.outcome, Outcome::Sent { .. }));
        flight.finish(done.outcome);
        self.is_over |= match done.after {
            After::Keep => false,
            After::Reset => !self.is_used_up() && !self.line.reset(&self.relay).await,
            After::Close => true,
        };
    }

    /// Sends the mail; if a kept connection turns out to be gone before the relay has said anything, once more on a fresh
    /// one.
    async fn transact(&mut self, flight: &InFlight) -> Done {
        let is_kept = self.served > 0;
        let limits = &self.relay.settings.limits;
        let stale = match transact(&mut self.line, &self.mail, flight, limits, is_kept).await {
            Ok(done) => return done,
            Err(Stale) => self.redial().await,
        };
        if let Err(error) = stale {
            return Done {
                outcome: not_connected(error),
                after: After::Close,
            };
        }
        let limits = &self.relay.settings.limits;
        match transact(&mut self.line, &self.mail, flight, limits, false).await {
            Ok(done) => done,
            // A fresh connection is never stale.
            Err(Stale) => Done {
                outcome: Outcome::TransientRelay {
                    reply: "the relay closed two connections in turn".to_owned(),
                },
                after: After::Close,
            },
        }
    }

    /// Replaces the connection, in the same place.
    async fn redial(&mut self) -> Result<(), ConnectError> {
        // The old one goes first, so that there is never one more than allowed.
        self.line.wire.close(self.relay.settings.limits.quit).await;
        self.line = Line::open(&self.relay).await?;
        (self.served, self.refused) = (0, 0);
        Ok(())
    }

    fn is_used_up(&self) -> bool {
        self.served >= self.relay.settings.messages_per_connection || self.refused >= MOST_REFUSALS
    }
}

#[async_trait]
impl Session for SmtpSession {
    async fn serve(&mut self, work: &mut Work) {
        while !self.is_over && !self.is_used_up() {
            let Some((permit, email)) = self.next(work).await else {
                break;
            };
            self.deliver(permit, &email).await;
        }
        let limit = self.relay.settings.limits.quit;
        if self.is_over {
            self.line.wire.close(limit).await;
        } else {
            self.line.quit(limit).await;
        }
        self.is_over = true;
    }
}

/// The outcome of a mail that had begun when its connection could not be replaced.
fn not_connected(error: ConnectError) -> Outcome {
    match error {
        ConnectError::Transient { reply } => Outcome::TransientRelay { reply },
        ConnectError::Limited { reply, retry_after } => {
            Outcome::RelayLimited { reply, retry_after }
        }
        ConnectError::Config { cause, reply } => Outcome::PermanentConfig { cause, reply },
    }
}
