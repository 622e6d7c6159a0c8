//! The next mail behind the dot of the one in hand (RFC 2920 section 3.1).

use std::sync::atomic::Ordering;
use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::domain::Email;
use mailer_core::transport::{InFlight, Permit, Work};

use super::{Begun, SmtpSession};
use crate::classify::Stage;
use crate::transaction::{Done, Opening, body, envelope};
use crate::wire::Fault;

/// How long a mail's final dot waits for the next mail. A store across a network answers within it.
pub(super) const MOMENT: Duration = Duration::from_millis(2);

impl SmtpSession {
    /// Sends the body of the mail in hand and waits for the relay's verdict. The next envelope does not wait for it: it
    /// leaves in one segment with the dot if there is a next mail in a moment, or else behind it as soon as there is one.
    pub(super) async fn carry(
        &mut self,
        flight: &InFlight,
        work: &mut Work,
    ) -> (Done, Option<InFlight>) {
        let may_be_followed = self.line.extensions.pipelining
            && self.relay.overlaps.load(Ordering::Relaxed)
            && self.served + 1 < self.relay.settings.messages_per_connection
            && !self.time_left().is_zero();
        let next = match may_be_followed && self.has_next && self.mail.is_one_piece() {
            true => self.line.wire.patiently(MOMENT, work.next()).await.ok(),
            false => None,
        };
        self.has_next = matches!(next, Some(Some(_)));
        let behind = match next.flatten() {
            Some((permit, email)) => self.prepare(permit, email),
            None => None,
        };
        let limits = &self.relay.settings.limits;
        let wire = &mut self.line.wire;
        if let Err(done) = body::lead(wire, &self.mail, flight, limits).await {
            return (done, behind);
        }
        let envelope = behind.as_ref().map(|_| &self.next.envelope);
        if let Err(done) = body::finish(wire, &mut self.mail, envelope, limits).await {
            return (done, behind);
        }
        let dot_left = SystemClock.monotonic();
        if behind.is_some() {
            return self.verdict_before(behind, dot_left).await;
        }
        // Both are safe to drop, as in `pull`.
        let next = tokio::select! {
            biased;
            done = body::verdict(wire, Stage::Dot, limits.after_dot) => return (done, None),
            next = work.next(), if may_be_followed => next,
        };
        self.has_next = next.is_some();
        let behind = match next {
            Some((permit, email)) => self.follow(permit, email).await,
            None => None,
        };
        self.verdict_before(behind, dot_left).await
    }

    /// Begins the next mail, whose envelope is to leave now.
    fn prepare(&mut self, permit: Permit, email: Email) -> Option<InFlight> {
        let written = self
            .next
            .write(email, &self.line.extensions, &self.relay.bodies);
        let flight = permit.begin().ok()?;
        match written {
            Ok(()) => Some(flight),
            Err(unsendable) => {
                flight.finish(unsendable.outcome());
                None
            }
        }
    }

    /// Sends the envelope of the next mail.
    async fn follow(&mut self, permit: Permit, email: Email) -> Option<InFlight> {
        let flight = self.prepare(permit, email)?;
        let limits = &self.relay.settings.limits;
        match envelope::write(&mut self.line.wire, &self.next, limits).await {
            Ok(()) => Some(flight),
            Err(done) => {
                flight.finish(done.outcome);
                self.is_over = true;
                None
            }
        }
    }

    /// The verdict on the mail in hand, whose dot has left. If it takes so long that the one behind is too late for its own
    /// dot, no more envelopes leave before a verdict.
    async fn verdict_before(
        &mut self,
        behind: Option<InFlight>,
        dot_left: Duration,
    ) -> (Done, Option<InFlight>) {
        let limit = self.relay.settings.limits.after_dot;
        let passed = SystemClock.monotonic().saturating_sub(dot_left);
        let reply = match self.line.wire.reply(limit.saturating_sub(passed)).await {
            Err(Fault::TimedOut(_)) => Err(Fault::TimedOut(limit)),
            reply => reply,
        };
        let done = body::judge(Stage::Dot, reply);
        if behind.as_ref().is_some_and(|behind| !behind.may_finish()) {
            self.relay.overlaps.store(false, Ordering::Relaxed);
        }
        (done, behind)
    }

    /// The connection has ended under the mail whose envelope had just left: it goes out on a fresh one.
    pub(super) async fn rescue(&mut self, flight: InFlight) -> Option<Begun> {
        std::mem::swap(&mut self.mail, &mut self.next);
        if !flight.may_finish() {
            flight.finish(body::too_late().outcome);
            self.is_over = true;
            return None;
        }
        match self.start_over().await {
            Ok(()) => Some(Begun {
                flight,
                opening: Opening::Fresh,
            }),
            Err(outcome) => {
                flight.finish(outcome);
                None
            }
        }
    }
}
