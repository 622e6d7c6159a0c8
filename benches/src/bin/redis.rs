//! The whole engine over Redis and a relay that takes every mail at once: what a mail costs the worker and the server.
//!
//! `cargo run --release -p benches --bin redis -- [RECIPIENTS] [CONNECTIONS] [none|everysec|always...]`
//!
//! For each kind of append-only file: starts a redis-server of its own, loads one campaign, and works it off.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::sync::Arc;
use std::time::Instant;

use benches::{Failure, NullRelay, RedisUsage, Watched, campaign, per_mail, processor, recipients};
use mailer_core::clock::SystemClock;
use mailer_core::domain::Policy;
use mailer_core::{Mailer, Store, Worker};
use mailer_redis::RedisStore;
use testkit::{Fsync, RedisServer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let count: u64 = words.next().map_or(Ok(100_000), |word| word.parse())?;
    let connections: usize = words.next().map_or(Ok(50), |word| word.parse())?;
    let mut kinds: Vec<String> = words.collect();
    if kinds.is_empty() {
        kinds = ["none", "everysec", "always"].map(str::to_owned).into();
    }
    println!(
        "{count} recipients, {connections} connections, 2 KB text with a merge field, two limits"
    );
    println!(
        "{:>11} {:>10} {:>12} {:>10} {:>12} {:>12} {:>14} {:>13} {:>14}",
        "append-only",
        "load/s",
        "load: server",
        "send/s",
        "send: worker",
        "send: server",
        "scripts a mail",
        "mails a begin",
        "mails a settle"
    );
    for kind in kinds {
        run(count, connections, &kind).await?;
    }
    println!("worker and server: microseconds of processor time for each mail");
    Ok(())
}

async fn run(count: u64, connections: usize, kind: &str) -> Result<(), Failure> {
    let builder = RedisServer::builder();
    let builder = match kind {
        "always" => builder.append_only(Fsync::Always),
        "everysec" => builder.append_only(Fsync::EverySecond),
        "none" => builder,
        other => return Err(format!("{other:?} is none of none, everysec, always").into()),
    };
    let server = builder.start().await?;
    let redis = RedisStore::connect(server.url(), "bench").await?;
    let store = Watched::new(redis.clone());
    let whole = Store::new(store.clone(), Arc::new(SystemClock)).with_news(Arc::new(redis));
    let mailer = Mailer::open(whole).await?;
    let policy = Policy::unlimited()
        .limit("4000000000/hour")?
        .limit("4000000000/day@Europe/Moscow")?;
    mailer.set_policy(&policy, None).await?;

    let before = RedisUsage::of(&server).await?;
    let started = Instant::now();
    let submitted = mailer
        .submit(&campaign("spring"), recipients(count))
        .await?;
    let load = started.elapsed();
    let loaded = RedisUsage::of(&server).await?;

    server.command(&["CONFIG", "RESETSTAT"]).await?;
    let _loading = store.take();
    let relay = NullRelay::new(connections);
    let worker = Worker::builder(&mailer).relay("default", relay).build()?;
    let (started, own) = (Instant::now(), processor());
    worker.run_until_idle().await;
    let send = started.elapsed();
    let own = processor().saturating_sub(own);
    let sent = RedisUsage::of(&server).await?;

    let calls = store.take().calls;
    let mails_a = |call| count as f64 / calls.get(call).map_or(1.0, |calls| *calls as f64);
    println!(
        "{kind:>11} {:>10.0} {:>12.2} {:>10.0} {:>12.2} {:>12.2} {:>14.3} {:>13.1} {:>14.1}",
        count as f64 / load.as_secs_f64(),
        per_mail(loaded.processor_since(&before), count),
        count as f64 / send.as_secs_f64(),
        per_mail(own, count),
        per_mail(sent.processor_since(&loaded), count),
        sent.scripts as f64 / count as f64,
        mails_a("begin"),
        mails_a("settle")
    );
    let counts = mailer.status(&submitted.id).await?.counts;
    if counts.sent != count {
        return Err(format!("{} of {count} were sent", counts.sent).into());
    }
    Ok(())
}
