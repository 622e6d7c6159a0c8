use std::{io, net::SocketAddr, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    process::{LaunchError, Process, Program, free_addr},
    real_time::within,
};

const REDIS_SERVER: Program = Program {
    name: "redis-server",
    package: "redis-server",
};
const PORT_TRIES: u32 = 5;
const COMMAND_LIMIT: Duration = Duration::from_secs(5);

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
        own.chain(self.flags.iter().cloned()).collect()
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

    /// Launches it on a free port.
    ///
    /// # Errors
    /// When it is not installed, ends at once or does not answer.
    pub async fn start(self) -> Result<RedisServer, LaunchError> {
        let io_error = |source| LaunchError::Io {
            program: REDIS_SERVER.name,
            source,
        };
        let mut server = RedisServer {
            process: None,
            addr: free_addr().map_err(io_error)?,
            append_only: self.append_only,
            flags: self.flags,
            folder: tempfile::tempdir().map_err(io_error)?,
        };
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

async fn probe(addr: SocketAddr) -> io::Result<()> {
    match send(addr, &["PING"]).await?.as_str() {
        "+PONG\r\n" => Ok(()),
        other => Err(io::Error::other(other.to_owned())),
    }
}

async fn send(addr: SocketAddr, words: &[&str]) -> io::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    within(COMMAND_LIMIT, "reply of redis-server", async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut reply = Vec::new();
        while reply_length(&reply).is_none() {
            if stream.read_buf(&mut reply).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(String::from_utf8_lossy(&reply).into_owned())
    })
    .await?
}

/// The length of the reply these bytes begin with, once it is complete.
fn reply_length(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let count = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse().ok();
    match bytes[0] {
        b'$' => {
            let length: i64 = count()?;
            let length = usize::try_from(length).map_or(line, |length| line + length + 2);
            (bytes.len() >= length).then_some(length)
        }
        b'*' => {
            let items: i64 = count()?;
            (0..items).try_fold(line, |at, _| Some(at + reply_length(bytes.get(at..)?)?))
        }
        _ => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_complete_at_its_last_byte() {
        for reply in [
            "+OK\r\n",
            "-ERR x\r\n",
            ":1\r\n",
            "$-1\r\n",
            "$3\r\na\r\n\r\n",
            "*0\r\n",
            "*2\r\n*1\r\n:1\r\n$1\r\nx\r\n",
        ] {
            for cut in 0..reply.len() {
                assert_eq!(reply_length(&reply.as_bytes()[..cut]), None, "{reply:?}");
            }
            assert_eq!(reply_length(reply.as_bytes()), Some(reply.len()));
        }
    }
}
