use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::time::timeout;

use crate::Failure;

const LONGEST: Duration = Duration::from_secs(300);

/// Runs it to its end; how long that took.
pub(super) async fn run(name: &str, mut command: Command) -> Result<Duration, Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let started = Instant::now();
    let ended = timeout(LONGEST, command.output()).await;
    let length = started.elapsed();
    let output = ended.map_err(|_| format!("{name} takes longer than {LONGEST:?}"))?;
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(length);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {}: {}", output.status, words.trim()).into())
}
