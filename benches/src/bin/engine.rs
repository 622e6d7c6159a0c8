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

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let count = numbers.next().transpose()?.unwrap_or(100_000);
    let mut connections = numbers.collect::<Result<Vec<u64>, _>>()?;
    if connections.is_empty() {
        connections = vec![8, 50];
    }
    println!("{count} recipients, 2 KB text with a merge field, memory store");
    println!(
        "{:>8} {:>12} {:>16} {:>14} {:>12} {:>15}",
        "threads", "connections", "policy", "submit/s", "send/s", "CPU us per mail"
    );
    for _ in 0..ROUNDS {
        for threads in [1, 2] {
            for &connections in &connections {
                for limit in [None, Some("4000000000/hour")] {
                    // The worker is spawned, as a host that serves something else beside it does.
                    let run = runtime(threads)?.block_on(async {
                        tokio::spawn(async move { run(count, connections, limit).await }).await
                    })?;
                    let Rates { submit, send, cpu } = run?;
                    let policy = limit.unwrap_or("unlimited");
                    println!(
                        "{threads:>8} {connections:>12} {policy:>16} {submit:>14.0} {send:>12.0} {cpu:>15.1}"
                    );
                }
            }
        }
    }
    Ok(())
}

fn runtime(threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).enable_time().build()
}

struct Rates {
    /// Recipients taken in per second.
    submit: f64,
    /// Mails sent per second.
    send: f64,
    /// What sending one costs in processor time, which other load on the machine changes less. Linux only, else 0.
    cpu: f64,
}

async fn run(
    count: u64,
    connections: u64,
    limit: Option<&str>,
) -> Result<Rates, Box<dyn std::error::Error + Send + Sync>> {
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
    let (started, cpu) = (Instant::now(), processor_ticks());
    worker.run_until_idle().await;
    let send = started.elapsed();
    let ticks = processor_ticks().saturating_sub(cpu);

    let counts = mailer.status(&submitted.id).await?.counts;
    if counts.sent != count {
        return Err(format!("{} of {count} were sent", counts.sent).into());
    }
    let rate = |time: std::time::Duration| count as f64 / time.as_secs_f64();
    Ok(Rates {
        submit: rate(submit),
        send: rate(send),
        cpu: ticks as f64 * 10_000.0 / count as f64,
    })
}

/// The process's user and system time in hundredths of a second.
fn processor_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; after it, user time is field 12 and system time field 13.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|field| field.parse::<u64>().ok()).sum()
}
