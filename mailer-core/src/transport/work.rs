use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::{ConnectError, Flight, Permit};
use crate::clock::{Clock, Hold};
use crate::domain::{Email, Outcome};

/// What a session tells the engine.
#[derive(Debug)]
pub(crate) enum Report {
    /// The connection can write `MAIL FROM` now.
    Ready { connection: u64 },
    /// A mail's outcome.
    Finished { flight: u64, outcome: Outcome },
    /// The connection is gone, or it never came to be.
    Closed { connection: u64, end: End },
}

/// How a connection came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// There was none, or its transport has failed.
    Failed(ConnectError),
    /// The session chose to leave.
    Retired,
    /// The session returned without a word.
    Over,
}

/// What a session pulls: mails with their permits.
#[derive(Debug)]
pub struct Work {
    connection: u64,
    asked: bool,
    retired: bool,
    hold: Option<Hold>,
    /// Shared with each mail that was pulled and has not come to an end.
    under_way: Arc<()>,
    clock: Arc<dyn Clock>,
    mails: mpsc::Receiver<Assignment>,
    reports: mpsc::UnboundedSender<(Hold, Report)>,
}

/// A mail to be sent, as the engine hands it to a connection.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) hold: Hold,
    pub(crate) flight: u64,
    pub(crate) send_by: Duration,
    pub(crate) dot_by: Duration,
    pub(crate) email: Email,
}

impl Work {
    pub(crate) fn new(
        connection: u64,
        hold: Hold,
        clock: Arc<dyn Clock>,
        mails: mpsc::Receiver<Assignment>,
        reports: mpsc::UnboundedSender<(Hold, Report)>,
    ) -> Self {
        Self {
            connection,
            asked: false,
            retired: false,
            hold: Some(hold),
            under_way: Arc::default(),
            clock,
            mails,
            reports,
        }
    }

    /// The next mail: to be called when `MAIL FROM` could be written in this instant. `None`: there is no more, and the
    /// session ends.
    ///
    /// # Cancel safety
    /// Dropped while it waits, no mail is lost.
    pub async fn next(&mut self) -> Option<(Permit, Email)> {
        if !self.asked {
            self.asked = true;
            let ready = Report::Ready {
                connection: self.connection,
            };
            // If the engine is gone, `recv` says so.
            let _gone = self.reports.send((self.clock.hold(), ready));
        }
        // Time that is driven by a program waits for the mail whose verdict is still to come.
        if Arc::strong_count(&self.under_way) == 1 {
            self.hold = None;
        }
        let received = self.mails.recv().await;
        self.asked = false;
        match received {
            Some(assignment) => {
                self.hold = Some(assignment.hold);
                let permit = Permit {
                    flight: Flight {
                        number: assignment.flight,
                        clock: Arc::clone(&self.clock),
                        send_by: assignment.send_by,
                        dot_by: assignment.dot_by,
                        report_on_drop: Some(Outcome::NotStarted),
                        reports: self.reports.clone(),
                        _under_way: Arc::clone(&self.under_way),
                    },
                };
                Some((permit, assignment.email))
            }
            None => {
                self.hold = Some(self.clock.hold());
                None
            }
        }
    }

    /// Says that the session is about to end because it chose to: no mail has come for so long, or the connection is to be
    /// replaced.
    ///
    /// A session that ends within 5 seconds and has carried nothing counts as a connection that was refused, since relays
    /// refuse like this, too. With this word it does not, provided that it had asked for a mail before.
    pub fn retire(&mut self) {
        self.retired = self.asked;
        // Time that is driven by a program waits until the engine knows.
        self.hold.get_or_insert_with(|| self.clock.hold());
    }

    /// How a session that has returned came to its end.
    pub(crate) fn end(&self) -> End {
        match self.retired {
            true => End::Retired,
            false => End::Over,
        }
    }

    /// What was handed to this connection and never taken. No permit was made for it, so no permit reports it.
    pub(crate) fn unclaimed(&mut self) -> Vec<Assignment> {
        self.mails.close();
        let mut unclaimed = Vec::new();
        loop {
            match self.mails.try_recv() {
                Ok(assignment) => unclaimed.push(assignment),
                // After the close this means that the engine is in the middle of putting one in, on another thread.
                Err(TryRecvError::Empty) => std::thread::yield_now(),
                Err(TryRecvError::Disconnected) => return unclaimed,
            }
        }
    }
}

impl Drop for Work {
    /// A session may end in the instant in which the engine hands it a mail: that mail was not started.
    fn drop(&mut self) {
        for assignment in self.unclaimed() {
            let report = Report::Finished {
                flight: assignment.flight,
                outcome: Outcome::NotStarted,
            };
            // A worker that is gone has left this delivery to the reaper.
            let _gone = self.reports.send((assignment.hold, report));
        }
    }
}
