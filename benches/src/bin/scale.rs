//! Campaigns of growing size over Redis: whether a mail of ten million costs what a mail of ten thousand does.
//!
//! `cargo run --release -p benches --bin scale -- [RECIPIENTS...]`
//!
//! For each size: starts a redis-server of its own, loads one campaign through a stream in a process of its own, and works
//! it off in another, with a relay that takes every mail at once.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::convert::Infallible;
use std::process::Command;
use std::time::Duration;

use benches::{
    Failure, NullRelay, RedisUsage, campaign, peak_kib, per_mail, processor, recipients,
};
use futures_util::stream;
use mailer_core::domain::Policy;
use mailer_core::{Dedupe, Mailer, Worker};
use mailer_redis::RedisStore;
use testkit::RedisServer;

const CONNECTIONS: usize = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [role, url, count] = words.as_slice() {
        match role.as_str() {
            "load" => return load(url, count.parse()?).await,
            "send" => return send(url, count.parse()?).await,
            _ => {}
        }
    }
    let mut sizes = words
        .iter()
        .map(|word| word.parse())
        .collect::<Result<Vec<u64>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000, 1_000_000];
    }
    println!(
        "resident: KiB at most; Redis: octets for each pending recipient; the rest: microseconds for each mail"
    );
    println!(
        "{:>10} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "resident", "", "Redis", "load", "", "send", "", ""
    );
    println!(
        "{:>10} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "recipients", "loader", "worker", "", "loader", "server", "worker", "server", "together"
    );
    for size in sizes {
        measure(size).await?;
    }
    Ok(())
}

async fn measure(count: u64) -> Result<(), Failure> {
    let server = RedisServer::builder().start().await?;
    // The scripts are there before anything is measured.
    child("load", &server, 0)?;
    let before = RedisUsage::of(&server).await?;
    let loader = child("load", &server, count)?;
    let loaded = RedisUsage::of(&server).await?;
    let worker = child("send", &server, count)?;
    let sent = RedisUsage::of(&server).await?;
    let of_server =
        |before: &RedisUsage, after: &RedisUsage| per_mail(after.processor_since(before), count);
    let (of_loader, of_worker) = (
        per_mail(loader.processor, count),
        per_mail(worker.processor, count),
    );
    println!(
        "{count:>10} {:>9} {:>9} {:>7.1} {of_loader:>9.2} {:>9.2} {of_worker:>9.2} {:>9.2} {:>9.2}",
        loader.peak_kib,
        worker.peak_kib,
        loaded.memory.saturating_sub(before.memory) as f64 / count as f64,
        of_server(&before, &loaded),
        of_server(&loaded, &sent),
        of_worker + of_server(&loaded, &sent),
    );
    Ok(())
}

/// What a process has used.
struct Used {
    peak_kib: u64,
    processor: Duration,
}

/// This program again, in another role.
fn child(role: &str, server: &RedisServer, count: u64) -> Result<Used, Failure> {
    let output = Command::new(std::env::current_exe()?)
        .args([role, &server.url(), &count.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (peak, micros) = text.trim().split_once(' ').ok_or("two numbers")?;
    Ok(Used {
        peak_kib: peak.parse()?,
        processor: Duration::from_micros(micros.parse()?),
    })
}

async fn load(url: &str, count: u64) -> Result<(), Failure> {
    let mailer = Mailer::open(RedisStore::connect(url, "bench").await?).await?;
    let policy = Policy::unlimited().limit("4000000000/hour")?;
    mailer.set_policy(&policy, None).await?;
    if count == 0 {
        mailer.submit(&campaign("first"), recipients(1)).await?;
    } else {
        let rows = stream::iter(recipients(count).map(Ok::<_, Infallible>));
        mailer
            .submit_stream(&campaign("spring"), rows, Dedupe::Trusted, |_| {})
            .await?;
    }
    println!("{} {}", peak_kib(), processor().as_micros());
    Ok(())
}

async fn send(url: &str, count: u64) -> Result<(), Failure> {
    let mailer = Mailer::open(RedisStore::connect(url, "bench").await?).await?;
    let worker = Worker::builder(&mailer)
        .relay("default", NullRelay::new(CONNECTIONS))
        .build()?;
    worker.run_until_idle().await;
    println!("{} {}", peak_kib(), processor().as_micros());
    let sent = mailer.status(&"spring".parse()?).await?.counts.sent;
    if sent != count {
        return Err(format!("{sent} of {count} were sent").into());
    }
    Ok(())
}
