//! Mails per second of 50 sessions into Postfix's `smtp-sink`, beside Postfix's own `smtp-source`:
//! `cargo run --release -p mailer-smtp --example throughput [MAILS] [ROUNDS]`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement takes real time, and tells it"
)]

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use mailer_core::conformance::transport::Rig;
use mailer_smtp::SmtpTransport;
use testkit::Sink;

const SESSIONS: usize = 50;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mails = arguments.next().map_or(Ok(100_000), |n| n.parse())?;
    let rounds = arguments.next().map_or(Ok(3), |n| n.parse())?;
    for round in 1..=rounds {
        let sink = Sink::builder().start().await?;
        let ours = ours(&sink, mails).await?;
        let sink = Sink::builder().start().await?;
        let theirs = theirs(&sink, mails)?;
        println!(
            "round {round}: mailer-smtp {ours:.0}/s, smtp-source {theirs:.0}/s, ratio {:.2}",
            ours / theirs
        );
    }
    Ok(())
}

async fn ours(sink: &Sink, mails: usize) -> Result<f64, Box<dyn Error>> {
    let transport = SmtpTransport::builder(&sink.url())
        .connections(SESSIONS)
        .messages_per_connection(u32::MAX)
        .build()?;
    let rig = Rig::new(Arc::new(transport));
    let names: Vec<String> = (0..mails).map(|i| format!("r{i}")).collect();
    let started = Instant::now();
    let delivered = rig.deliver(names).await;
    let seconds = started.elapsed().as_secs_f64();
    if delivered.count("sent") != mails {
        return Err(format!(
            "{} of {mails} sent: {:?}",
            delivered.count("sent"),
            delivered.refused
        )
        .into());
    }
    Ok(mails as f64 / seconds)
}

/// Kept connections (`-d`) and mails of the same size.
fn theirs(sink: &Sink, mails: usize) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    let status = Command::new("smtp-source")
        .env("PATH", "/usr/sbin:/usr/bin:/bin")
        .args([
            "-d",
            "-s",
            &SESSIONS.to_string(),
            "-m",
            &mails.to_string(),
            "-l",
            "2500",
        ])
        .args(["-f", "sender@example.com", "-t", "r@example.com"])
        .arg(format!("inet:{}", sink.addr()))
        .status()?;
    if !status.success() {
        return Err(format!("smtp-source: {status}").into());
    }
    Ok(mails as f64 / started.elapsed().as_secs_f64())
}
