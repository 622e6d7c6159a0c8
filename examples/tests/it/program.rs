//! Runs a binary in a folder of its own, for a bounded time.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{fs, io};

use mailer_core::domain::Status;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Longer than any run here takes on a slow machine.
const AT_MOST: Duration = Duration::from_secs(180);

/// A folder to run in.
pub(crate) struct Place(TempDir);

/// How a run has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and returns its name.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path().join(name), content).unwrap();
        name.to_owned()
    }

    /// A file of this many recipients.
    pub(crate) fn recipients(&self, count: usize) -> String {
        let rows: String = (1..=count)
            .map(|i| format!("user{i}@example.com,User {i}\n"))
            .collect();
        self.file("recipients.csv", format!("email,name\n{rows}"))
    }

    /// Starts `campaign` with these arguments.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.start_program(env!("CARGO_BIN_EXE_campaign"), args)
    }

    pub(crate) fn start_program(&self, program: &str, args: &[&str]) -> Child {
        Command::new(program)
            .args(args)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Runs `campaign` with these arguments to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        ended(self.start(args)).await
    }
}

/// Waits for the end.
pub(crate) async fn ended(child: Child) -> Ended {
    let output = within(child.wait_with_output()).await.unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that hangs is bounded by the real clock, in this one place"
)]
async fn within<T>(done: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(AT_MOST, done).await {
        Ok(done) => done,
        Err(_) => panic!("it has not ended within {AT_MOST:?}"),
    }
}

impl Ended {
    /// The status in the last line of stdout.
    pub(crate) fn status(&self) -> Status {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
