//! The whole engine over the memory store and a relay that takes every mail at once: mails per second.
//!
//! `cargo run --release -p benches --bin engine -- [RECIPIENTS] [CONNECTIONS...]`

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::Instant;

use benches::{NullRelay, campaign, recipients};
use mailer_core::domain::Policy;
use mailer_core::memory::MemoryStore;
use mailer_core::{Mailer, Worker};

const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let count = numbers.next().transpose()?.unwrap_or(100_000);
    let mut connections = numbers.collect::<Result<Vec<u64>, _>>()?;
    if connections.is_empty() {
        connections = vec![8, 50];
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()?;
    println!("mails/s, {count} recipients, 2 KB text with a merge field, memory store");
    println!(
        "{:>12} {:>16} {:>14} {:>12}",
        "connections", "policy", "submit", "send"
    );
    for _ in 0..ROUNDS {
        for &connections in &connections {
            for limit in [None, Some("4000000000/hour")] {
                let (submit, send) = runtime.block_on(run(count, connections, limit))?;
                let policy = limit.unwrap_or("unlimited");
                println!("{connections:>12} {policy:>16} {submit:>14.0} {send:>12.0}");
            }
        }
    }
    Ok(())
}

/// Recipients taken in and mails sent per second.
async fn run(
    count: u64,
    connections: u64,
    limit: Option<&str>,
) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let mailer = Mailer::open(MemoryStore::new()).await?;
    let mut policy = Policy::unlimited();
    if let Some(limit) = limit {
        policy = policy.limit(limit)?;
    }
    mailer.set_policy(&policy, None).await?;

    let started = Instant::now();
    let submitted = mailer
        .submit(&campaign("spring"), recipients(count))
        .await?;
    let submit = started.elapsed();

    let relay = NullRelay::new(usize::try_from(connections)?);
    let worker = Worker::builder(&mailer).relay("default", relay).build()?;
    let started = Instant::now();
    worker.run_until_idle().await;
    let send = started.elapsed();

    let counts = mailer.status(&submitted.id).await?.counts;
    if counts.sent != count {
        return Err(format!("{} of {count} were sent", counts.sent).into());
    }
    let rate = |time: std::time::Duration| count as f64 / time.as_secs_f64();
    Ok((rate(submit), rate(send)))
}
