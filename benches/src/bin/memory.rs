//! Resident memory of a campaign that waits in the memory store. Linux only: it reads `/proc/self/status`.
//!
//! `cargo run --release -p benches --bin memory -- [RECIPIENTS]`

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use benches::{campaign, recipients};
use mailer_core::Mailer;
use mailer_core::domain::Policy;
use mailer_core::memory::MemoryStore;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 1_000_000,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let before = resident("VmRSS")?;
    let mailer = runtime.block_on(async {
        let mailer = Mailer::open(MemoryStore::new()).await?;
        mailer.set_policy(&Policy::unlimited(), None).await?;
        mailer
            .submit(&campaign("spring"), recipients(count))
            .await?;
        Ok::<Mailer, mailer_core::Error>(mailer)
    })?;
    let (after, peak) = (resident("VmRSS")?, resident("VmHWM")?);
    println!("recipients            {count:>12}");
    println!("VmRSS before          {before:>12} bytes");
    println!("VmRSS loaded          {after:>12} bytes");
    println!("VmHWM                 {peak:>12} bytes");
    println!(
        "bytes per recipient   {:>12.1}",
        after.saturating_sub(before) as f64 / f64::from(u32::try_from(count.max(1))?)
    );
    drop(mailer);
    Ok(())
}

/// A line of the process's status, in bytes.
fn resident(name: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .ok_or_else(|| format!("/proc/self/status has no {name}"))?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}
