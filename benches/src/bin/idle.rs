//! What an idle worker asks of Redis.
//!
//! `cargo run --release -p benches --bin idle -- [SECONDS]`
//!
//! Starts a redis-server of its own and one worker; counts the commands with nothing to send, and with a campaign that is
//! deferred until tomorrow.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::sync::Arc;
use std::time::Duration;

use benches::{
    Counts, Failure, NullRelay, RedisUsage, Watched, campaign, per_mail, processor, recipients,
};
use mailer_core::clock::SystemClock;
use mailer_core::domain::Policy;
use mailer_core::{Mailer, Store, Worker};
use mailer_redis::RedisStore;
use testkit::RedisServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let seconds: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(10), |word| word.parse())?;
    let server = RedisServer::builder().start().await?;
    let redis = RedisStore::connect(server.url(), "bench").await?;
    let store = Watched::new(redis.clone());
    let whole = Store::new(store.clone(), Arc::new(SystemClock)).with_news(Arc::new(redis));
    let mailer = Mailer::open(whole).await?;
    mailer
        .set_policy(&Policy::new().limit("1/day")?, None)
        .await?;
    println!("a second of an idle worker, over {seconds} s");
    println!(
        "{:>24} {:>8} {:>9} {:>16} {:>12} {:>12}",
        "", "scripts", "commands", "changes of keys", "server's us", "worker's us"
    );
    let worker = Worker::builder(&mailer)
        .relay("default", NullRelay::new(50))
        .build()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn(async move {
        // The other end is kept until the measuring is over.
        let _ = worker.run(async { drop(stopped.await) }).await;
    });
    measure("nothing to send", &server, &store, seconds).await?;
    mailer.submit(&campaign("spring"), recipients(10)).await?;
    measure("a campaign is deferred", &server, &store, seconds).await?;
    // The worker may be gone already, by an error that it has shown.
    let _ = stop.send(());
    working.await?;
    Ok(())
}

async fn measure(
    what: &str,
    server: &RedisServer,
    store: &Watched<RedisStore>,
    seconds: u32,
) -> Result<(), Failure> {
    // Until what has just changed is dealt with.
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.command(&["CONFIG", "RESETSTAT"]).await?;
    let _before: Counts = store.take();
    let (before, own) = (RedisUsage::of(server).await?, processor());
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let after = RedisUsage::of(server).await?;
    let seconds = f64::from(seconds);
    println!(
        "{what:>24} {:>8.1} {:>9.1} {:>16.1} {:>12.0} {:>12.0}",
        after.scripts as f64 / seconds,
        after.commands.saturating_sub(before.commands) as f64 / seconds,
        after.changes.saturating_sub(before.changes) as f64 / seconds,
        per_mail(after.processor_since(&before), 1) / seconds,
        per_mail(processor().saturating_sub(own), 1) / seconds,
    );
    println!("{:>24} {:?}", "calls", store.take().calls);
    Ok(())
}
