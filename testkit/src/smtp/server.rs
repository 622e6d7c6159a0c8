use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{Command, Connection, Rule, SmtpServerBuilder, Transaction, builder::Setup, listener};
use crate::real_time::within;

/// An SMTP server on a loopback port, in the test's own process.
///
/// It takes every mail, records what it sees, and follows its [`Rule`]s. Dropping it closes its port and its
/// connections.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use std::time::Duration;
/// use testkit::{Rule, SmtpServer, Stage};
///
/// let server = SmtpServer::builder()
///     .rule(Rule::at(Stage::Dot).nth(1).reply(451, "4.3.2 later"))
///     .start()
///     .await?;
/// // ... send to server.url() ...
/// let mails = server.wait_for_mails(0, Duration::from_secs(5)).await?;
/// assert!(mails.is_empty());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SmtpServer {
    setup: Arc<Setup>,
    addr: SocketAddr,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    /// A well-behaved server without a script.
    pub fn builder() -> SmtpServerBuilder {
        SmtpServerBuilder::new()
    }

    pub(super) async fn launch(setup: Setup, addr: SocketAddr) -> io::Result<Self> {
        let mut server = Self {
            setup: Arc::new(setup),
            addr,
            running: None,
        };
        server.start().await?;
        Ok(server)
    }

    /// Starts it again on its port after [`stop`](Self::stop), with its records, its rules and their counts; a running
    /// server is left alone.
    ///
    /// # Errors
    /// When the address cannot be bound, or stays in use for two seconds.
    pub async fn start(&mut self) -> io::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let listener = listener::bind(self.addr).await?;
        self.addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listener::serve(listener, Arc::clone(&self.setup), stopped));
        self.running = Some(Running { stop, task });
        Ok(())
    }

    /// Closes its port and its connections, and returns when both are gone. What it recorded stays.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            // Either error means that the task has already ended.
            let _ = running.stop.send(());
            let _ = running.task.await;
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `smtp://127.0.0.1:PORT`, or `smtps://` when it speaks TLS from the first byte.
    #[must_use]
    pub fn url(&self) -> String {
        let implicit = self.setup.tls.as_ref().is_some_and(|tls| tls.implicit);
        let scheme = if implicit { "smtps" } else { "smtp" };
        format!("{scheme}://{}", self.addr)
    }

    /// The authority that signed its certificate, if it speaks TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        let tls = self.setup.tls.as_ref()?;
        Some(tls.certificate.ca_pem())
    }

    /// Adds a line to the end of the script.
    pub fn add_rule(&self, rule: Rule) {
        self.setup.script.push(rule);
    }

    /// Replaces the script, counts included; without rules the server behaves well again.
    pub fn set_rules(&self, rules: impl IntoIterator<Item = Rule>) {
        self.setup.script.replace(rules.into_iter().collect());
    }

    /// The mails it may have delivered (see [`Transaction::is_mail`]), in the order of their final dots.
    #[must_use]
    pub fn mails(&self) -> Vec<Transaction> {
        let seen = self.setup.log.seen();
        let mails = seen.transactions.iter().filter(|t| t.is_mail());
        mails.cloned().collect()
    }

    /// How many mails that is; counted even when they are not kept.
    #[must_use]
    pub fn mail_count(&self) -> u64 {
        self.setup.log.mail_count()
    }

    /// All transactions that have ended, refused and abandoned ones too.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        self.setup.log.seen().transactions.clone()
    }

    /// All connections so far, by number.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        let mut connections = self.setup.log.seen().connections.clone();
        connections.sort_by_key(|connection| connection.number);
        connections
    }

    /// How many connections are open now.
    #[must_use]
    pub fn connections_open(&self) -> usize {
        self.setup.log.open_count()
    }

    /// The largest number of connections open at the same time.
    #[must_use]
    pub fn connections_peak(&self) -> usize {
        self.setup.log.seen().peak
    }

    /// All lines received outside bodies, in order.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        self.setup.log.seen().commands.clone()
    }

    /// The text of [`commands`](Self::commands).
    #[must_use]
    pub fn command_lines(&self) -> Vec<String> {
        let seen = self.setup.log.seen();
        let lines = seen.commands.iter().map(|command| command.line.clone());
        lines.collect()
    }

    /// Forgets what it has recorded so far; what is open is told of no more, but counts.
    pub fn forget(&self) {
        self.setup.log.forget();
    }

    /// Waits until there are at least `n` mails and returns all of them.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`], saying how many there are.
    pub async fn wait_for_mails(&self, n: usize, limit: Duration) -> io::Result<Vec<Transaction>> {
        let log = &self.setup.log;
        within(limit, "mails", log.wait_for_mails(n as u64))
            .await
            .map_err(|error| {
                let got = log.mail_count();
                io::Error::new(error.kind(), format!("{got} of {n} mails within {limit:?}"))
            })?;
        Ok(self.mails())
    }

    /// Waits until no connection is open: what it has recorded of those that have gone will not change any more.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`], saying how many are still open.
    pub async fn wait_until_idle(&self, limit: Duration) -> io::Result<()> {
        let log = &self.setup.log;
        within(limit, "idle", log.wait_until_idle())
            .await
            .map_err(|error| {
                let open = log.open_count();
                io::Error::new(
                    error.kind(),
                    format!("{open} connections open after {limit:?}"),
                )
            })
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }
}
