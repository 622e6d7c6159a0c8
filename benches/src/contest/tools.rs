use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::{Contender, Job};

/// Installed for one run, into a folder that goes with it.
const NODEMAILER: &str = "nodemailer@10.6.1";

/// The programs of the contenders.
#[derive(Debug)]
pub(super) struct Tools {
    nodemailer: PathBuf,
    missing: HashMap<Contender, String>,
}

impl Tools {
    pub(super) async fn find(contenders: &[Contender], folder: &Path) -> Self {
        let mut tools = Self {
            nodemailer: folder.join("node_modules"),
            missing: HashMap::new(),
        };
        for &contender in contenders {
            let found = match contender {
                Contender::SmtpSource => find_smtp_source(),
                Contender::Nodemailer => install_nodemailer(folder).await,
                Contender::Engine(_) => find_built(&campaign()),
                _ => find_built(&beside("peers")),
            };
            if let Err(why) = found {
                tools.leave_out(contender, why);
            }
        }
        tools
    }

    pub(super) fn missing(&self, contender: Contender) -> Option<&str> {
        self.missing.get(&contender).map(String::as_str)
    }

    pub(super) fn leave_out(&mut self, contender: Contender, why: String) {
        self.missing.insert(contender, why);
    }

    pub(super) fn campaign(&self) -> Command {
        Command::new(campaign())
    }

    /// Whoever has no store.
    pub(super) fn sender(&self, contender: Contender, job: &Job) -> Command {
        let (connections, mails, bytes) = (
            job.connections.to_string(),
            job.mails.to_string(),
            job.bytes.to_string(),
        );
        match contender {
            Contender::SmtpSource => {
                let mut command = Command::new("smtp-source");
                command
                    .env("PATH", path())
                    .args(["-d", "-s", &connections, "-m", &mails, "-l", &bytes])
                    .args(["-f", "news@shop.example", "-t", "user@example.com"])
                    .arg(format!("inet:{}", job.relay));
                command
            }
            Contender::Nodemailer => {
                let mut command = Command::new("node");
                command
                    .env("NODE_PATH", &self.nodemailer)
                    .args(["--input-type=commonjs", "--eval"])
                    .args([include_str!("nodemailer.js"), "--"])
                    .args([job.relay.ip().to_string(), job.relay.port().to_string()])
                    .args([connections, mails, bytes]);
                command
            }
            contender => {
                let mut command = Command::new(beside("peers"));
                let relay = job.relay.to_string();
                command
                    .args([contender.name(), &relay])
                    .args([connections, mails, bytes]);
                command
            }
        }
    }
}

/// `CAMPAIGN` names one that was built elsewhere.
fn campaign() -> PathBuf {
    env::var_os("CAMPAIGN").map_or_else(|| beside("campaign"), PathBuf::from)
}

/// Programs are built into one folder.
fn beside(program: &str) -> PathBuf {
    env::current_exe()
        .unwrap_or_default()
        .with_file_name(program)
}

fn find_built(program: &Path) -> Result<(), String> {
    if program.is_file() {
        return Ok(());
    }
    Err(format!("{} is not built", program.display()))
}

/// Debian keeps it where not every user looks.
fn path() -> String {
    let own = env::var("PATH").unwrap_or_default();
    format!("{own}:/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec/postfix")
}

fn find_smtp_source() -> Result<(), String> {
    let found = env::split_paths(&path()).any(|folder| folder.join("smtp-source").is_file());
    if found {
        return Ok(());
    }
    Err("smtp-source is not installed: Debian's package postfix".to_owned())
}

async fn install_nodemailer(folder: &Path) -> Result<(), String> {
    let installed = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(["--no-save", "--prefix"])
        .arg(folder)
        .arg(NODEMAILER)
        .stdin(Stdio::null())
        .output()
        .await;
    match installed {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "npm cannot install {NODEMAILER}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(_) => Err("npm is not installed: Debian's packages nodejs and npm".to_owned()),
    }
}
