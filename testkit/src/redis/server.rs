use std::{fs, io, net::SocketAddr, path::Path, process::Command};

use tempfile::TempDir;

use super::{
    REDIS_SERVER, io_error,
    wire::{COMMAND_LIMIT, send},
};
use crate::{
    Certificate,
    process::{LaunchError, Process, free_addr},
};

const PORT_TRIES: u32 = 5;

/// A private `redis-server` on a loopback port, with its own data folder; dropping it kills it and removes the folder.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use testkit::{Fsync, RedisServer};
///
/// let mut redis = RedisServer::builder().append_only(Fsync::Always).start().await?;
/// redis.command(&["SET", "key", "value"]).await?;
/// redis.kill();
/// redis.start().await?;
/// assert_eq!(redis.command(&["GET", "key"]).await?, "$5\r\nvalue\r\n");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Process>,
    addr: SocketAddr,
    append_only: Option<Fsync>,
    flags: Vec<String>,
    tls: Option<(SocketAddr, Certificate)>,
    folder: TempDir,
}

/// How a [`RedisServer`] is launched.
///
/// ```
/// let builder = testkit::RedisServer::builder().flags(["--maxmemory", "10mb"]);
/// # drop(builder);
/// ```
#[derive(Debug, Default, Clone)]
#[must_use]
pub struct RedisServerBuilder {
    append_only: Option<Fsync>,
    flags: Vec<String>,
    tls: Option<Certificate>,
}

/// When the append-only file reaches the disk: Redis's `appendfsync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before each reply.
    Always,
    /// Once a second.
    EverySecond,
    /// When the operating system likes.
    Never,
}

impl RedisServer {
    /// A server without persistence.
    pub fn builder() -> RedisServerBuilder {
        RedisServerBuilder::default()
    }

    /// Starts it again on its port and its data after [`stop`](Self::stop) or [`kill`](Self::kill); a running server
    /// is left alone.
    ///
    /// # Errors
    /// When it is not installed, ends at once or does not answer.
    pub async fn start(&mut self) -> Result<(), LaunchError> {
        if self.process.is_none() {
            let log = self.folder.path().join("log");
            let arguments = self.arguments();
            let launch = Process::launch(REDIS_SERVER, &arguments, &log, self.addr, probe);
            self.process = Some(launch.await?);
        }
        Ok(())
    }

    /// Shuts it down in good order: an append-only file is complete.
    pub async fn stop(&mut self) {
        // A successful shutdown sends no reply; what counts is whether it ends.
        let _ = self.command(&["SHUTDOWN", "NOSAVE"]).await;
        if let Some(mut process) = self.process.take() {
            process.ends_within(COMMAND_LIMIT).await;
        }
    }

    /// Kills it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops its process where it is, as an overloaded machine would: connections are accepted, nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let pid = self.pid().ok_or(io::ErrorKind::NotConnected)?;
        // The shell has it built in; the program of this name is not installed everywhere.
        let status = Command::new("sh")
            .args(["-c", &format!("kill {signal} {pid}")])
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("kill {signal} {pid}: {status}")))
        }
    }

    /// Sends one command over a connection of its own and returns the reply as Redis encodes it.
    ///
    /// # Errors
    /// When it does not run, or does not reply within 5 seconds.
    pub async fn command(&self, words: &[&str]) -> io::Result<String> {
        send(self.addr, words).await
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `redis://127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.addr)
    }

    /// `rediss://127.0.0.1:PORT/`, where it has a certificate.
    #[must_use]
    pub fn tls_url(&self) -> Option<String> {
        self.tls_addr().map(|addr| format!("rediss://{addr}/"))
    }

    pub(super) fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|(addr, _)| *addr)
    }

    /// Where other servers reach it: by TLS, where it has a certificate.
    pub(super) fn port_for_servers(&self) -> String {
        self.tls_addr().unwrap_or(self.addr).port().to_string()
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    fn arguments(&self) -> Vec<String> {
        let port = self.addr.port().to_string();
        let folder = self.folder.path().to_string_lossy().into_owned();
        let (append_only, fsync) = match self.append_only {
            None => ("no", "no"),
            Some(Fsync::Always) => ("yes", "always"),
            Some(Fsync::EverySecond) => ("yes", "everysec"),
            Some(Fsync::Never) => ("yes", "no"),
        };
        let own = [
            ["--bind", "127.0.0.1"],
            ["--port", &port],
            ["--dir", &folder],
            ["--save", ""],
            ["--daemonize", "no"],
            ["--appendonly", append_only],
            ["--appendfsync", fsync],
        ];
        let own = own.into_iter().flatten().map(str::to_owned);
        let tls = self
            .tls
            .iter()
            .flat_map(|(addr, _)| tls_settings(*addr, &folder));
        let tls = tls.flat_map(|(name, value)| [format!("--{name}"), value]);
        own.chain(tls).chain(self.flags.iter().cloned()).collect()
    }
}

impl RedisServerBuilder {
    /// Keeps an append-only file.
    pub fn append_only(mut self, fsync: Fsync) -> Self {
        self.append_only = Some(fsync);
        self
    }

    /// Adds flags, as `redis-server` takes them.
    pub fn flags<S: Into<String>>(mut self, flags: impl IntoIterator<Item = S>) -> Self {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// Also listens for TLS, on another port, with this certificate.
    pub fn tls(mut self, certificate: &Certificate) -> Self {
        self.tls = Some(certificate.clone());
        self
    }

    /// Launches it on a free port.
    ///
    /// # Errors
    /// When it is not installed, ends at once or does not answer.
    pub async fn start(self) -> Result<RedisServer, LaunchError> {
        let mut server = RedisServer {
            process: None,
            addr: free_addr().map_err(io_error)?,
            append_only: self.append_only,
            flags: self.flags,
            tls: None,
            folder: tempfile::tempdir().map_err(io_error)?,
        };
        if let Some(certificate) = self.tls {
            write_pems(&certificate, server.folder.path()).map_err(io_error)?;
            server.tls = Some((free_addr().map_err(io_error)?, certificate));
        }
        for _ in 1..PORT_TRIES {
            match server.start().await {
                // The port was taken between the choice and the launch.
                Err(LaunchError::Died { log, .. }) if log.contains("Address already in use") => {
                    server.addr = free_addr().map_err(io_error)?;
                }
                done => return done.map(|()| server),
            }
        }
        server.start().await.map(|()| server)
    }
}

/// How a server or a sentinel listens for TLS, with the files of [`write_pems`] in a folder. It uses it towards others too.
pub(super) fn tls_settings(addr: SocketAddr, folder: &str) -> [(&'static str, String); 7] {
    [
        ("tls-port", addr.port().to_string()),
        ("tls-cert-file", format!("{folder}/cert.pem")),
        ("tls-key-file", format!("{folder}/key.pem")),
        ("tls-ca-cert-file", format!("{folder}/ca.pem")),
        ("tls-auth-clients", "no".to_owned()),
        ("tls-replication", "yes".to_owned()),
        ("tls-cluster", "yes".to_owned()),
    ]
}

pub(super) fn write_pems(certificate: &Certificate, folder: &Path) -> io::Result<()> {
    for (name, pem) in [
        ("ca.pem", certificate.ca_pem()),
        ("cert.pem", certificate.cert_pem()),
        ("key.pem", certificate.key_pem()),
    ] {
        fs::write(folder.join(name), pem)?;
    }
    Ok(())
}

pub(super) async fn probe(addr: SocketAddr) -> io::Result<()> {
    match send(addr, &["PING"]).await?.as_str() {
        "+PONG\r\n" => Ok(()),
        other => Err(io::Error::other(other.to_owned())),
    }
}
