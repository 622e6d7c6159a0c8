//! Those who send mails, side by side.

mod contender;
mod tools;
mod turn;

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use testkit::RedisServer;
use tokio::process::Command;

pub use contender::{Contender, StoreKind};
use tools::Tools;

use crate::Failure;

/// What a contender is to do.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Where the mails go.
    pub relay: SocketAddr,
    /// Over how many connections.
    pub connections: usize,
    /// How many mails, each to a recipient of its own.
    pub mails: u64,
    /// How long the text of each is.
    pub bytes: usize,
}

/// Everything that contenders need, brought up once.
#[derive(Debug)]
pub struct Contest {
    tools: Tools,
    servers: HashMap<&'static str, RedisServer>,
    folder: TempDir,
    turns: AtomicU64,
}

impl Contest {
    /// Finds their programs, installs what is installed for one run only, and starts a redis-server for each store.
    ///
    /// # Errors
    /// When there is no room for their files. Whoever lacks something [does not take part](Self::missing).
    pub async fn prepare(contenders: &[Contender]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mut tools = Tools::find(contenders, folder.path()).await;
        let mut servers = HashMap::new();
        for &contender in contenders {
            let Contender::Engine(store) = contender else {
                continue;
            };
            let Some(builder) = store.server() else {
                continue;
            };
            match builder.start().await {
                Ok(server) => drop(servers.insert(store.name(), server)),
                Err(error) => tools.leave_out(contender, error.to_string()),
            }
        }
        Ok(Self {
            tools,
            servers,
            folder,
            turns: AtomicU64::new(0),
        })
    }

    /// Why this one cannot take part.
    #[must_use]
    pub fn missing(&self, contender: Contender) -> Option<&str> {
        self.tools.missing(contender)
    }

    /// Has all mails sent; how long that took, from the start of the contender's process to its end.
    ///
    /// # Errors
    /// When it failed, in its own words, or took longer than five minutes.
    pub async fn send(&self, contender: Contender, job: &Job) -> Result<Duration, Failure> {
        let command = match contender {
            Contender::Engine(store) => self.campaign(store, job)?,
            contender => self.tools.sender(contender, job),
        };
        turn::run(contender.name(), command).await
    }

    fn campaign(&self, store: StoreKind, job: &Job) -> Result<Command, Failure> {
        let recipients = self.folder.path().join("recipients.csv");
        let text = self.folder.path().join("text.txt");
        write_input(&recipients, &text, job)?;
        let mut command = self.tools.campaign();
        command
            .args(["run", "--limit", "none", "--json"])
            .args(["--smtp", &format!("smtp://{}", job.relay)])
            .args(["--connections", &job.connections.to_string()])
            .arg("--recipients")
            .arg(recipients)
            .arg("--text")
            .arg(text);
        if let Some(server) = self.servers.get(store.name()) {
            // Every turn is a namespace of its own.
            let turn = self.turns.fetch_add(1, Ordering::Relaxed);
            command
                .args(["--store", &server.url()])
                .args(["--namespace", &format!("turn{turn}")]);
        }
        Ok(command)
    }
}

fn write_input(recipients: &Path, text: &Path, job: &Job) -> Result<(), Failure> {
    let mut csv = "email,name\n".to_owned();
    for i in 0..job.mails {
        csv.push_str(&format!("user{i:08}@example.com,User {i}\n"));
    }
    fs::write(recipients, csv)?;
    let line = "The quick brown fox jumps over the lazy dog, and again and again.\n";
    fs::write(text, line.repeat(job.bytes.div_ceil(line.len())))?;
    Ok(())
}
