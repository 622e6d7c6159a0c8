//! The way out: transports, sessions, and the permit without which nothing is sent.

mod one_shot;
mod work;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::clock::{Clock, Hold};
use crate::domain::{HaltCause, Outcome};

pub use one_shot::OneShot;
pub use work::Work;
pub(crate) use work::{Assignment, End, Report};

/// A way to a relay.
///
/// # Contract
/// - At most [`max_connections`](Self::max_connections) sessions of it are open at a time; the engine keeps to it, and so
///   must whatever the transport does by itself.
/// - `connect` returns in bounded time, with a session that can write `MAIL FROM` at once, or says why not. Where all
///   connections are in use, since clones share them, it waits for one to become free, and is then
///   [`Full`](ConnectError::Full).
///
/// # Cancel safety
/// `connect` may be dropped at any await point and leaves nothing open.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// How many connections it may have open at a time; at least one.
    fn max_connections(&self) -> usize;

    /// Opens a connection: greeting, encryption and login included.
    ///
    /// # Errors
    /// Why there is none. Nothing was sent, so nothing is in doubt.
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError>;
}

/// An open connection to a relay.
///
/// # Contract
/// - It pulls: [`Work::next`] is called when `MAIL FROM` could be written in this instant, not before. Where the relay
///   offers PIPELINING, that is so as soon as the dot of the mail before has left (RFC 2920 section 3.1).
/// - [`Permit::begin`] is called directly before `MAIL FROM` is written; a permit that is late is not used.
/// - The final dot is not written unless [`InFlight::may_finish`] says so directly before.
/// - The outcome is `Sent` only if the relay's own reply to this mail's final dot said so; `Unknown` exactly if the dot
///   may have left and no reply was read.
/// - `serve` returns when `work` is at its end, or when the connection should not be used any further. Where that is the
///   session's own choice, it says [`Work::retire`].
///
/// # Cancel safety
/// The engine never drops `serve` midway, save when its whole process stops: mails in hand are then unknown.
#[async_trait]
pub trait Session: fmt::Debug + Send {
    /// Sends mail after mail.
    async fn serve(&mut self, work: &mut Work);
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "the engine matches every one")]
pub enum ConnectError {
    /// The relay has trouble.
    #[error("{reply}")]
    Transient {
        /// Its words, or the error of the connection.
        reply: String,
    },
    /// The relay asks for patience.
    #[error("{reply}")]
    Limited {
        /// Its words.
        reply: String,
        /// The wait that it asked for, if it named one.
        retry_after: Option<Duration>,
    },
    /// As many connections are open as there may be: others have them. Of the relay that says nothing.
    #[error("all {most} connections are in use")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// It will not work until somebody acts.
    #[error("{reply}")]
    Config {
        /// What is wrong.
        cause: HaltCause,
        /// The relay's words, or the error.
        reply: String,
    },
}

/// The right to send one mail now. Only the engine makes it, from the gate's `Go`.
///
/// It is used by value, cannot be copied, and has no public constructor under any feature:
///
/// ```compile_fail,E0451
/// let forged = mailer_core::transport::Permit { flight: todo!() };
/// ```
///
/// ```compile_fail,E0599
/// fn twice(permit: mailer_core::transport::Permit) {
///     let copy = permit.clone();
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn mint() -> mailer_core::transport::Permit {
///     mailer_core::transport::Permit::new()
/// }
/// ```
///
/// Dropped unused, it reports [`Outcome::NotStarted`], and its tokens come back.
#[derive(Debug)]
#[must_use = "a dropped permit is a mail that is not sent now"]
pub struct Permit {
    flight: Flight,
}

/// The permit was not used in time: its token belongs to a window that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the permit's time is over")]
#[expect(clippy::exhaustive_structs, reason = "it has no parts")]
pub struct Late;

impl Permit {
    /// Uses the permit: to be called directly before `MAIL FROM` is written.
    ///
    /// # Errors
    /// If its time is over. It has then reported [`Outcome::NotStarted`] by itself.
    pub fn begin(mut self) -> Result<InFlight, Late> {
        if self.flight.clock.monotonic() >= self.flight.send_by {
            return Err(Late);
        }
        self.flight.report_on_drop = Some(Outcome::Unknown {
            reply: "the session ended without reporting".to_owned(),
        });
        Ok(InFlight {
            flight: self.flight,
        })
    }

    /// How much time is left to use it.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.flight
            .send_by
            .saturating_sub(self.flight.clock.monotonic())
    }
}

/// A mail whose `MAIL FROM` has left. Dropped without an outcome, it is [`Outcome::Unknown`].
#[derive(Debug)]
#[must_use = "a dropped flight is a mail of which nobody knows whether it was sent"]
pub struct InFlight {
    flight: Flight,
}

impl InFlight {
    /// Whether the final dot may be written in this instant.
    #[must_use]
    pub fn may_finish(&self) -> bool {
        self.flight.clock.monotonic() < self.flight.dot_by
    }

    /// Reports what became of it.
    pub fn finish(mut self, outcome: Outcome) {
        self.flight.report(outcome);
    }
}

/// A mail on its way through a session, and the line back to the engine.
struct Flight {
    number: u64,
    clock: Arc<dyn Clock>,
    send_by: Duration,
    dot_by: Duration,
    report_on_drop: Option<Outcome>,
    reports: mpsc::UnboundedSender<(Hold, Report)>,
    /// One of those that its session has under way.
    _under_way: Arc<()>,
}

impl Flight {
    fn report(&mut self, outcome: Outcome) {
        self.report_on_drop = None;
        let report = Report::Finished {
            flight: self.number,
            outcome,
        };
        // A worker that is gone has left this delivery to the reaper.
        let _gone = self.reports.send((self.clock.hold(), report));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(outcome) = self.report_on_drop.take() {
            self.report(outcome);
        }
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
