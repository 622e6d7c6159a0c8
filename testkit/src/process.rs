use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::real_time::{now, sleep};

const READY_LIMIT: Duration = Duration::from_secs(10);
const PORT_TRIES: u32 = 100;
const POLL_PAUSE: Duration = Duration::from_millis(5);

/// Why a server program could not be brought up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The program is not installed.
    #[error("{program} is not installed: apt-get install {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package it comes with.
        package: &'static str,
    },
    /// Only root may start it.
    #[error("{program} has to be started as root")]
    NotRoot {
        /// The program.
        program: &'static str,
    },
    /// It ended before it served, for the reason in its own words.
    #[error("{program} ended at once: {log}")]
    Died {
        /// The program.
        program: &'static str,
        /// What it wrote.
        log: String,
    },
    /// It runs but does not serve.
    #[error("{program} does not answer within {READY_LIMIT:?}: {log}")]
    NotReady {
        /// The program.
        program: &'static str,
        /// What it wrote.
        log: String,
    },
    /// Something around it failed.
    #[error("cannot launch {program}")]
    Io {
        /// The program.
        program: &'static str,
        /// What failed.
        source: io::Error,
    },
}

/// A program and the Debian package it comes with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    /// It is given a process group of its own, since it ends by ending that.
    pub(crate) has_group: bool,
    /// The environment variable that names another program to be used in its place.
    pub(crate) variable: &'static str,
}

impl Program {
    /// Where to look for it, in this order.
    fn candidates(&self) -> Vec<OsString> {
        match env::var_os(self.variable) {
            Some(chosen) => vec![chosen],
            // Not every user has the system directories on the path.
            None => vec![self.name.into(), format!("/usr/sbin/{}", self.name).into()],
        }
    }
}

/// A running program; dropping it kills it, by its own process id.
#[derive(Debug)]
pub(crate) struct Process {
    program: Program,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program and waits until the probe succeeds on `addr`. What it writes goes to the file `log`.
    pub(crate) async fn launch(
        program: Program,
        arguments: &[String],
        log: &Path,
        addr: SocketAddr,
        probe: impl AsyncFn(SocketAddr) -> io::Result<()>,
    ) -> Result<Self, LaunchError> {
        let mut process = Self::spawn(program, arguments, log)?;
        let started = now();
        loop {
            let ready = probe(addr).await.is_ok();
            // In this order: whoever answered may be another process that took the port.
            if !process.is_alive() {
                return Err(LaunchError::Died {
                    program: program.name,
                    log: process.log(),
                });
            }
            if ready {
                return Ok(process);
            }
            if started.elapsed() > READY_LIMIT {
                return Err(LaunchError::NotReady {
                    program: program.name,
                    log: process.log(),
                });
            }
            sleep(POLL_PAUSE).await;
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its own end; whether it came in time.
    pub(crate) async fn ends_within(&mut self, limit: Duration) -> bool {
        let started = now();
        while self.is_alive() {
            if started.elapsed() > limit {
                return false;
            }
            sleep(POLL_PAUSE).await;
        }
        true
    }

    fn spawn(program: Program, arguments: &[String], log: &Path) -> Result<Self, LaunchError> {
        let io_error = |source| LaunchError::Io {
            program: program.name,
            source,
        };
        for name in program.candidates() {
            let output = File::create(log).map_err(io_error)?;
            let mut command = Command::new(name);
            command
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(output.try_clone().map_err(io_error)?)
                .stderr(output);
            if program.has_group {
                command.process_group(0);
            }
            match command.spawn() {
                Ok(child) => {
                    return Ok(Self {
                        program,
                        child,
                        log: log.to_owned(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io_error(error)),
            }
        }
        Err(LaunchError::Missing {
            program: program.name,
            package: program.package,
        })
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).trim().to_owned();
        if log.is_empty() {
            format!("{} wrote nothing", self.program.name)
        } else {
            log
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address that was free a moment ago.
///
/// It lies below the ports the system hands out by itself, so that no socket of another test gets it before the
/// program does, or while the program is stopped.
pub(crate) fn free_addr() -> io::Result<SocketAddr> {
    let mut tries = 1;
    loop {
        let port = fastrand::u16(10_000..32_000);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener.local_addr(),
            Err(error) if tries == PORT_TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_program_is_named_with_its_package() {
        let program = Program {
            name: "no-such-program",
            package: "some-package",
            has_group: false,
            variable: "NO_SUCH_PROGRAM",
        };
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let addr = free_addr().unwrap();
        let launch = Process::launch(program, &[], &log, addr, async |_| Ok(()));
        assert_eq!(
            launch.await.unwrap_err().to_string(),
            "no-such-program is not installed: apt-get install some-package"
        );
    }
}
