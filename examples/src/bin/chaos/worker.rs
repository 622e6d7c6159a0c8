//! A worker process: what `campaign work` is, with the run's clock.

use mailer_core::observer::{Event, Observer};
use mailer_core::{Mailer, Worker};
use mailer_redis::RedisStore;
use mailer_smtp::SmtpTransport;
use tokio::signal::unix::{SignalKind, signal};

use crate::Fallible;
use crate::args::Orders;
use crate::scene::config;

pub(crate) async fn work(orders: &Orders) -> Fallible<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let config = config(&orders.redis, orders.origin, orders.speed);
    let mailer = Mailer::open(RedisStore::open(&config).await?).await?;
    let transport = SmtpTransport::builder(&orders.smtp)
        .connections(orders.connections)
        .build()?;
    let worker = Worker::builder(&mailer)
        .relay("default", transport)
        .observer(Log)
        .build()?;
    let drained = worker
        .run(async move {
            // Nobody else can have closed it.
            let _ = terminate.recv().await;
        })
        .await;
    println!("{drained}");
    Ok(())
}

/// What happens, for whoever looks into a violation.
#[derive(Debug)]
struct Log;

impl Observer for Log {
    fn on(&self, now: chrono::DateTime<chrono::Utc>, event: &Event) {
        println!("{now} {event:?}");
    }
}
