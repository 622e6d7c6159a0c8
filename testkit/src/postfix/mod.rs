//! A Postfix, the relay that most of the world speaks to.

mod builder;
mod config;
mod sasl;

use std::{fs, io, net::SocketAddr, process::Command, time::Duration};

use tempfile::TempDir;

use crate::{
    process::Process,
    real_time::{sleep, within},
};
pub use builder::PostfixBuilder;
use sasl::SaslServer;

const POLL_PAUSE: Duration = Duration::from_millis(10);

/// A running Postfix on a private loopback port, with directories of its own; dropping it ends all its processes.
///
/// It takes mail for every address in the world, queues it as a relay does, and then throws it away: its log tells to
/// whom it would have gone. Whatever else is on the machine, an installed Postfix too, is left alone.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let postfix = testkit::Postfix::builder()
///     .refuse("bad@x.example", "550 5.1.1 no such user")
///     .setting("message_size_limit", "100000")
///     .start()
///     .await?;
/// // ... send two mails to postfix.url() ...
/// let recipients = postfix.wait_for_deliveries(2, std::time::Duration::from_secs(5)).await?;
/// # drop(recipients); Ok(()) }
/// ```
#[derive(Debug)]
pub struct Postfix {
    process: Process,
    addr: SocketAddr,
    url: String,
    ca_pem: Option<String>,
    folder: TempDir,
    _sasl: Option<SaslServer>,
}

impl Postfix {
    /// A relay that takes everything, in clear text and without a login.
    pub fn builder() -> PostfixBuilder {
        PostfixBuilder::new()
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `smtp://127.0.0.1:PORT`, or `smtps://` if it speaks TLS from the first byte.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The authority of its certificate, if it has one.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Its process id: that of `master`, which is also the group of all the others.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Everything that it has logged.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn log(&self) -> io::Result<String> {
        let log = fs::read(self.folder.path().join(config::LOG))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// The recipients of the mails that have gone through its queue, sorted, since a queue keeps no order. A mail is among
    /// them some time after the reply to its final dot.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn deliveries(&self) -> io::Result<Vec<String>> {
        let mut recipients: Vec<String> = self.log()?.lines().filter_map(delivered_to).collect();
        recipients.sort();
        Ok(recipients)
    }

    /// The same, as soon as there are `n`.
    ///
    /// # Errors
    /// When they are fewer after `limit`, and when the log cannot be read.
    pub async fn wait_for_deliveries(&self, n: usize, limit: Duration) -> io::Result<Vec<String>> {
        let enough = |log: &str| log.lines().filter_map(delivered_to).count() >= n;
        self.wait_for(&format!("{n} deliveries"), enough, limit)
            .await?;
        self.deliveries()
    }

    /// Everything that it has logged, as soon as these words are in it `n` times. It logs a while after it has acted.
    ///
    /// # Errors
    /// When they are not after `limit`, and when the log cannot be read.
    pub async fn wait_for_log(&self, n: usize, words: &str, limit: Duration) -> io::Result<String> {
        let enough = |log: &str| log.matches(words).count() >= n;
        self.wait_for(&format!("{n} times {words:?}"), enough, limit)
            .await
    }

    async fn wait_for(
        &self,
        what: &str,
        is_there: impl Fn(&str) -> bool,
        limit: Duration,
    ) -> io::Result<String> {
        let come = async {
            loop {
                let log = self.log()?;
                if is_there(&log) {
                    return Ok(log);
                }
                sleep(POLL_PAUSE).await;
            }
        };
        within(limit, what, come).await?
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // The group is that of `master`, which made it for its own. It fails only when all have ended already.
        let end = format!("kill -s TERM -- -{}", self.process.pid());
        let _ = Command::new("sh").args(["-c", &end]).output();
    }
}

/// `… postfix/discard[1]: 4F2A: to=<ann@x.example>, relay=none, …, status=sent (x.example)`
fn delivered_to(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("/discard[")?;
    let (_, rest) = rest.split_once(" to=<")?;
    let (recipient, rest) = rest.split_once('>')?;
    rest.contains(" status=sent ").then(|| recipient.to_owned())
}
