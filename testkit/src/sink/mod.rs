//! Postfix's `smtp-sink`, the fastest relay to measure against.

mod dump;

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{io::AsyncReadExt, net::TcpStream};

pub use dump::{DumpError, ReceivedMail, parse_dump};

use crate::{
    process::{LaunchError, Process, Program, free_addr},
    real_time::within,
};

const SMTP_SINK: Program = Program {
    name: "smtp-sink",
    package: "postfix",
    has_group: false,
    variable: "SMTP_SINK",
};
const PORT_TRIES: u32 = 5;
/// With a dump each takes two of the usual 1,024 file descriptors.
const MAX_CONNECTIONS: &str = "450";

/// A running `smtp-sink` on a private loopback port; dropping it kills it.
///
/// The launch opens one connection to see whether it serves, so its own session counts are off by one.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sink = testkit::Sink::builder().flags(["-w", "1"]).dump().start().await?;
/// // ... send to sink.url() ...
/// for mail in sink.received().await? {
///     println!("{} at {}", mail.recipient, mail.at);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Sink {
    process: Process,
    addr: SocketAddr,
    dump: Option<Dump>,
    _folder: TempDir,
}

/// How an `smtp-sink` is launched.
///
/// ```
/// let builder = testkit::Sink::builder().flags(["-Q", "RCPT"]).dump();
/// # drop(builder);
/// ```
#[derive(Debug, Default, Clone)]
#[must_use]
pub struct SinkBuilder {
    flags: Vec<String>,
    dump: bool,
}

#[derive(Debug)]
struct Dump {
    file: PathBuf,
    start: String,
}

impl Sink {
    /// A sink with room for 450 connections at a time and no other flags.
    pub fn builder() -> SinkBuilder {
        SinkBuilder::default()
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `smtp://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.addr)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Every recipient of every mail it has taken, in order; empty unless it was built with
    /// [`dump`](SinkBuilder::dump).
    ///
    /// # Errors
    /// When the dump cannot be read.
    pub async fn received(&self) -> Result<Vec<ReceivedMail>, DumpError> {
        let Some(dump) = &self.dump else {
            return Ok(Vec::new());
        };
        match tokio::fs::read(&dump.file).await {
            Ok(bytes) => parse_dump(&bytes, Some(&dump.start)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

impl SinkBuilder {
    /// Adds flags, as in the manual page.
    pub fn flags<S: Into<String>>(mut self, flags: impl IntoIterator<Item = S>) -> Self {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// Keeps every mail in a file, for [`Sink::received`]. It costs a good part of the speed.
    pub fn dump(mut self) -> Self {
        self.dump = true;
        self
    }

    /// Launches it.
    ///
    /// # Errors
    /// When it is not installed, refuses the flags or does not serve.
    pub async fn start(self) -> Result<Sink, LaunchError> {
        let mut tries = 1;
        loop {
            match self.try_start().await {
                // The port was taken between the choice and the launch.
                Err(LaunchError::Died { log, .. })
                    if tries < PORT_TRIES && log.contains("Address already in use") =>
                {
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_start(&self) -> Result<Sink, LaunchError> {
        let io_error = |source| LaunchError::Io {
            program: SMTP_SINK.name,
            source,
        };
        let folder = tempfile::tempdir().map_err(io_error)?;
        let addr = free_addr().map_err(io_error)?;
        let mut arguments: Vec<String> = ["-m", MAX_CONNECTIONS].map(str::to_owned).to_vec();
        if runs_as_root(&folder).map_err(io_error)? {
            // As root it demands a user to become, who then has to write the dump.
            arguments.extend(["-u".to_owned(), "nobody".to_owned()]);
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))
                .map_err(io_error)?;
        }
        let dump = self.dump.then(|| Dump::in_folder(&folder));
        arguments.extend(dump.iter().flat_map(Dump::flags));
        arguments.extend(self.flags.iter().cloned());
        arguments.extend([format!("inet:{addr}"), "1024".to_owned()]);

        let log = folder.path().join("log");
        let process = Process::launch(SMTP_SINK, &arguments, &log, addr, probe).await?;
        Ok(Sink {
            process,
            addr,
            dump,
            _folder: folder,
        })
    }
}

impl Dump {
    fn in_folder(folder: &TempDir) -> Self {
        Self {
            file: folder.path().join("dump"),
            // No mail can hold what nobody knows, so no body passes for a record.
            start: format!("smtp-sink-record-{:016x}", fastrand::u64(..)),
        }
    }

    fn flags(&self) -> [String; 4] {
        let template = self.file.to_string_lossy().replace('%', "%%");
        let start = format!("{}\\n", self.start);
        ["-S".to_owned(), start, "-D".to_owned(), template]
    }
}

fn runs_as_root(own_folder: &TempDir) -> io::Result<bool> {
    Ok(fs::metadata(own_folder.path())?.uid() == 0)
}

/// Connects and waits for the greeting; flags may delay or forbid one, so an accepted connection will do.
async fn probe(addr: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    let greeting = stream.read_u8();
    let _ = within(Duration::from_secs(1), "greeting", greeting).await;
    Ok(())
}
