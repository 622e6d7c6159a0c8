//! The whole engine over Redis and a relay that takes every mail at once: what a mail costs the worker and the server.
//!
//! `cargo run --release -p benches --bin redis -- [RECIPIENTS] [CONNECTIONS] [always|everysec|none]`
//!
//! Starts a redis-server of its own, loads one campaign through a stream, and works it off.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::{Duration, Instant};

use benches::{NullRelay, campaign, recipients};
use mailer_core::domain::Policy;
use mailer_core::{Mailer, Worker};
use mailer_redis::RedisStore;
use testkit::{Fsync, RedisServer};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let count: u64 = words.next().map_or(Ok(100_000), |word| word.parse())?;
    let connections: usize = words.next().map_or(Ok(50), |word| word.parse())?;
    let fsync = words.next().unwrap_or_else(|| "none".to_owned());
    let builder = RedisServer::builder();
    let builder = match fsync.as_str() {
        "always" => builder.append_only(Fsync::Always),
        "everysec" => builder.append_only(Fsync::EverySecond),
        _ => builder,
    };
    let server = builder.start().await?;
    println!(
        "{count} recipients, {connections} connections, 2 KB text with a merge field, append-only file: {fsync}"
    );

    let mailer = Mailer::open(RedisStore::connect(server.url(), "bench").await?).await?;
    let policy = Policy::unlimited()
        .limit("4000000000/hour")?
        .limit("4000000000/day@Europe/Moscow")?;
    mailer.set_policy(&policy, None).await?;

    let before = Usage::of(&server).await?;
    let started = Instant::now();
    let submitted = mailer
        .submit(&campaign("spring"), recipients(count))
        .await?;
    let loaded = Usage::of(&server).await?;
    show("load", count, started.elapsed(), before.processor, &loaded);
    let bytes = loaded.memory.saturating_sub(before.memory) as f64 / count as f64;
    println!("bytes per pending recipient {bytes:>12.1}");

    server.command(&["CONFIG", "RESETSTAT"]).await?;
    let relay = NullRelay::new(connections);
    let worker = Worker::builder(&mailer).relay("default", relay).build()?;
    let started = Instant::now();
    worker.run_until_idle().await;
    let sent = Usage::of(&server).await?;
    show("send", count, started.elapsed(), loaded.processor, &sent);
    println!("resident at most            {:>12} KiB", resident_kib());
    let counts = mailer.status(&submitted.id).await?.counts;
    if counts.sent != count {
        return Err(format!("{} of {count} were sent", counts.sent).into());
    }
    Ok(())
}

/// What the server has used so far.
struct Usage {
    memory: u64,
    processor: Duration,
    scripts: u64,
}

impl Usage {
    async fn of(server: &RedisServer) -> Result<Self, Failure> {
        let info = server.command(&["INFO", "everything"]).await?;
        let field = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .unwrap_or_default()
        };
        let seconds = |name: &str| field(name).parse().map(Duration::from_secs_f64);
        let calls = field("cmdstat_evalsha").split([',', '=']).nth(1);
        Ok(Self {
            memory: field("used_memory").parse()?,
            processor: seconds("used_cpu_user_main_thread")? + seconds("used_cpu_sys_main_thread")?,
            scripts: calls.map_or(Ok(0), str::parse)?,
        })
    }
}

fn show(what: &str, count: u64, took: Duration, processor: Duration, after: &Usage) {
    let count = count as f64;
    let server = after.processor.saturating_sub(processor).as_secs_f64() * 1e6 / count;
    println!(
        "{what}: per second             {:>12.0}",
        count / took.as_secs_f64()
    );
    println!("{what}: server's CPU           {server:>12.2} us per mail");
    println!(
        "{what}: script calls           {:>12.3} per mail",
        after.scripts as f64 / count
    );
}

/// The most memory that this process has had. Linux only, else 0.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
