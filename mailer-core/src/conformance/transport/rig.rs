use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::DateTime;
use tokio::sync::mpsc;

use super::cut_off::polled_at_most;
use crate::clock::{Clock, Hold, SystemClock};
use crate::domain::{Body, Draft, Email, Outcome};
use crate::transport::{Assignment, ConnectError, End, Report, Transport, Work};

const TEXT: &str =
    "This is a conformance test of a mail transport.\n.It has a line that begins with a dot.\n";

/// Drives a transport without an engine.
///
/// It mints permits, so it is no door for hosts: all it ever sends is one fixed text that says that it is a conformance
/// test, to addresses under `example.com`.
///
/// ```
/// # async fn sketch(transport: std::sync::Arc<dyn mailer_core::transport::Transport>) {
/// use mailer_core::conformance::transport::Rig;
///
/// let delivered = Rig::new(transport).deliver(["ann", "bob"]).await;
/// assert_eq!(delivered.count("sent"), 2);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Rig {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    send_within: Duration,
    dot_within: Duration,
    body: Arc<Body>,
    /// None: as many as the transport may have.
    connections: Option<usize>,
    /// How often the first session is polled before it is dropped.
    polls: usize,
}

/// What became of the mails of one [`Rig::deliver`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Delivered {
    /// The name before the `@` and the outcome, in the order in which they were given. Mails for which there was no
    /// connection are not in it.
    pub outcomes: Vec<(String, Outcome)>,
    /// How many connections were opened.
    pub connections: usize,
    /// Why others were not.
    pub refused: Vec<ConnectError>,
    /// Whether the first session was dropped midway, see [`Rig::cut_off_after`].
    pub is_cut_off: bool,
}

impl Delivered {
    /// How many mails have this [`Outcome::code`].
    #[must_use]
    pub fn count(&self, code: &str) -> usize {
        let outcomes = self.outcomes.iter();
        outcomes
            .filter(|(_, outcome)| outcome.code() == code)
            .count()
    }

    /// The codes of all outcomes.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        let outcomes = self.outcomes.iter();
        outcomes.map(|(_, outcome)| outcome.code()).collect()
    }
}

impl Rig {
    /// Permits that leave more than enough time.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            transport,
            clock: Arc::new(SystemClock),
            send_within: day,
            dot_within: day,
            body: fixed_body(24),
            connections: None,
            polls: usize::MAX,
        }
    }

    /// Mails of one short line; otherwise they have about 2 KB.
    #[must_use]
    pub fn small(mut self) -> Self {
        self.body = Arc::new(Body {
            text: Some("A test.".to_owned()),
            html: None,
        });
        self
    }

    /// Mails of about this many bytes, rounded up to whole lines.
    #[must_use]
    pub fn bytes(mut self, about: usize) -> Self {
        self.body = fixed_body(about.div_ceil(TEXT.len()));
        self
    }

    /// Mails of about 17 MB, more than the buffers of a connection hold.
    #[must_use]
    pub fn large(mut self) -> Self {
        self.body = fixed_body(200_000);
        self
    }

    /// Permits that are late when they arrive.
    #[must_use]
    pub fn late_to_begin(mut self) -> Self {
        self.send_within = Duration::ZERO;
        self
    }

    /// Permits whose final dot must leave within this time; zero: they can be used, but not to the end.
    #[must_use]
    pub fn finish_within(mut self, limit: Duration) -> Self {
        self.dot_within = limit;
        self
    }

    /// Asks for this many connections at once, whatever the transport says that it may have.
    #[must_use]
    pub fn connections(mut self, n: usize) -> Self {
        self.connections = Some(n);
        self
    }

    /// Drops the first session instead of polling it once more than this, as nobody should (see
    /// [`Session`](crate::transport::Session)): what it had begun is then in doubt, and what it had not is free.
    #[must_use]
    pub fn cut_off_after(mut self, polls: usize) -> Self {
        self.polls = polls;
        self
    }

    /// Sends the fixed text to each `name@example.com`, over as many connections as the transport may have. A connection
    /// that ends is replaced as long as there are mails; one that is refused is not.
    pub async fn deliver<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) -> Delivered {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        let (reports, inbox) = mpsc::unbounded_channel();
        let (returns, returned) = mpsc::unbounded_channel();
        let run = Run {
            rig: self,
            waiting: (0..names.len()).collect(),
            outcomes: vec![None; names.len()],
            lines: HashMap::new(),
            opened: 0,
            refused: Vec::new(),
            is_cut_off: Arc::default(),
            reports,
            returns,
        };
        let run = run.finish(&names, inbox, returned).await;
        let outcomes = names.drain(..).zip(run.outcomes);
        Delivered {
            outcomes: outcomes
                .filter_map(|(name, outcome)| Some((name, outcome?)))
                .collect(),
            connections: run.opened - run.refused.len(),
            refused: run.refused,
            is_cut_off: run.is_cut_off.load(Ordering::Relaxed),
        }
    }

    fn assignment(&self, flight: usize, name: &str) -> Assignment {
        let draft = Draft {
            subject: "Conformance test".to_owned(),
            headers: Vec::new(),
            body: Arc::clone(&self.body),
        };
        let now = self.clock.monotonic();
        Assignment {
            hold: self.clock.hold(),
            flight: flight as u64,
            send_by: now.saturating_add(self.send_within),
            dot_by: now.saturating_add(self.dot_within),
            email: Email::new(
                format!("{flight}.conformance@example.com"),
                DateTime::UNIX_EPOCH,
                "Conformance test <sender@example.com>".parse().unwrap(),
                format!("{name}@example.com").parse().unwrap(),
                draft,
            ),
        }
    }
}

fn fixed_body(times: usize) -> Arc<Body> {
    Arc::new(Body {
        text: Some(TEXT.repeat(times)),
        html: None,
    })
}

/// One `deliver` under way.
struct Run<'r> {
    rig: &'r Rig,
    waiting: VecDeque<usize>,
    outcomes: Vec<Option<Outcome>>,
    lines: HashMap<u64, mpsc::Sender<Assignment>>,
    opened: usize,
    refused: Vec<ConnectError>,
    is_cut_off: Arc<AtomicBool>,
    reports: mpsc::UnboundedSender<(Hold, Report)>,
    /// Mails that a connection was given and never took.
    returns: mpsc::UnboundedSender<usize>,
}

impl Run<'_> {
    /// Until the last connection has closed.
    async fn finish(
        mut self,
        names: &[String],
        mut inbox: mpsc::UnboundedReceiver<(Hold, Report)>,
        mut returned: mpsc::UnboundedReceiver<usize>,
    ) -> Self {
        let connections = self.rig.connections;
        let connections = connections.unwrap_or_else(|| self.rig.transport.max_connections());
        for _ in 0..connections.min(names.len()) {
            self.open();
        }
        while !self.lines.is_empty() {
            let Some((_hold, report)) = inbox.recv().await else {
                break;
            };
            match report {
                Report::Ready { connection } => self.feed(connection, names),
                Report::Finished { flight, outcome } => {
                    if let Some(slot) = self.outcomes.get_mut(flight as usize) {
                        assert_eq!(slot.replace(outcome), None, "two outcomes for one mail");
                    }
                }
                Report::Closed { connection, end } => {
                    self.lines.remove(&connection);
                    while let Ok(mail) = returned.try_recv() {
                        self.waiting.push_front(mail);
                    }
                    match end {
                        End::Failed(error) => self.refused.push(error),
                        End::Retired | End::Over if self.waiting.is_empty() => {}
                        End::Retired | End::Over => self.open(),
                    }
                }
            }
        }
        self
    }

    fn feed(&mut self, connection: u64, names: &[String]) {
        let line = self.lines.get(&connection);
        match (line, self.waiting.pop_front()) {
            (Some(line), Some(mail)) => {
                let assignment = self.rig.assignment(mail, &names[mail]);
                if line.try_send(assignment).is_err() {
                    self.waiting.push_front(mail);
                }
            }
            (None, Some(mail)) => self.waiting.push_front(mail),
            // Its sender goes, so its session sees the end of the work; it stays in the list until it has closed.
            (Some(_), None) => {
                let (closed, _) = mpsc::channel(1);
                self.lines.insert(connection, closed);
            }
            (None, None) => {}
        }
    }

    fn open(&mut self) {
        self.opened += 1;
        let connection = self.opened as u64;
        let (line, mails) = mpsc::channel(1);
        self.lines.insert(connection, line);
        let transport = Arc::clone(&self.rig.transport);
        let clock = Arc::clone(&self.rig.clock);
        let (reports, returns) = (self.reports.clone(), self.returns.clone());
        let polls = if connection == 1 {
            self.rig.polls
        } else {
            usize::MAX
        };
        let is_cut_off = Arc::clone(&self.is_cut_off);
        tokio::spawn(async move {
            let end = match transport.connect().await {
                Ok(mut session) => {
                    let hold = clock.hold();
                    let mut work =
                        Work::new(connection, hold, Arc::clone(&clock), mails, reports.clone());
                    let served = polled_at_most(polls, session.serve(&mut work)).await;
                    drop(session);
                    if served.is_some() {
                        for assignment in work.unclaimed() {
                            let _gone = returns.send(assignment.flight as usize);
                        }
                    } else {
                        // As when a task is aborted: what it was given and never took tells so by itself.
                        drop(work);
                        is_cut_off.store(true, Ordering::Relaxed);
                    }
                    End::Over
                }
                Err(error) => End::Failed(error),
            };
            let _gone = reports.send((clock.hold(), Report::Closed { connection, end }));
        });
    }
}
