//! The worker processes.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use mailer_core::clock::{Clock as _, SystemClock};
use tokio::process::{Child, Command};

use crate::Fallible;
use crate::args::Orders;

/// Longer than a worker's time to drain and to leave.
const LEAVES_WITHIN: Duration = Duration::from_secs(40);
/// How a worker ends that finds no Redis when it starts.
const NO_STORE: i32 = 1;

#[derive(Debug)]
pub(crate) struct Crew {
    program: PathBuf,
    orders: Orders,
    logs: PathBuf,
    members: Vec<Child>,
    started: usize,
    pub(crate) kills: u64,
    /// Ends that nobody has caused.
    pub(crate) strange: Vec<String>,
    /// Whether a worker may fail to start, because there is no Redis at times.
    may_fail: bool,
}

impl Crew {
    pub(crate) fn start(
        size: usize,
        orders: &Orders,
        logs: PathBuf,
        may_fail: bool,
    ) -> Fallible<Self> {
        let mut crew = Self {
            program: std::env::current_exe()?,
            orders: orders.clone(),
            logs,
            members: Vec::new(),
            started: 0,
            kills: 0,
            strange: Vec::new(),
            may_fail,
        };
        for _ in 0..size {
            let member = crew.spawn()?;
            crew.members.push(member);
        }
        Ok(crew)
    }

    /// Kills one without warning, and starts another in its place.
    pub(crate) async fn kill(&mut self, index: usize) -> Fallible<()> {
        self.members[index].kill().await?;
        self.kills += 1;
        self.members[index] = self.spawn()?;
        Ok(())
    }

    /// Stops one where it is, for as long as `lasts`; it does not notice.
    pub(crate) async fn freeze(&self, index: usize, lasts: Duration) -> Fallible<()> {
        signal(&self.members[index], "-STOP").await?;
        SystemClock.sleep(lasts).await;
        signal(&self.members[index], "-CONT").await
    }

    /// Replaces those that have ended by themselves.
    pub(crate) fn look_after(&mut self) -> Fallible<()> {
        for index in 0..self.members.len() {
            if let Some(status) = self.members[index].try_wait()? {
                if !(self.may_fail && status.code() == Some(NO_STORE)) {
                    self.strange
                        .push(format!("a worker ended by itself: {status}"));
                }
                self.members[index] = self.spawn()?;
            }
        }
        Ok(())
    }

    /// Asks all to end, as an operator would.
    pub(crate) async fn dismiss(&mut self) -> Fallible<()> {
        for member in &self.members {
            signal(member, "-TERM").await?;
        }
        for mut member in std::mem::take(&mut self.members) {
            tokio::select! {
                status = member.wait() => match status? {
                    status if status.success() => {}
                    status => self.strange.push(format!("a worker that was asked to end: {status}")),
                },
                () = SystemClock.sleep(LEAVES_WITHIN) => {
                    self.strange.push(format!("a worker has not ended within {LEAVES_WITHIN:?}"));
                    member.kill().await?;
                }
            }
        }
        Ok(())
    }

    fn spawn(&mut self) -> Fallible<Child> {
        let log = File::create(self.logs.join(format!("worker-{}.log", self.started)))?;
        self.started += 1;
        let orders = &self.orders;
        let child = Command::new(&self.program)
            .args(["worker", "--redis", &orders.redis, "--smtp", &orders.smtp])
            .args(["--connections", &orders.connections.to_string()])
            .args(["--speed", &orders.speed.to_string()])
            .args(["--origin", &orders.origin.to_string()])
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }
}

async fn signal(member: &Child, signal: &str) -> Fallible<()> {
    if let Some(pid) = member.id() {
        let pid = pid.to_string();
        Command::new("kill").args([signal, &pid]).status().await?;
    }
    Ok(())
}
