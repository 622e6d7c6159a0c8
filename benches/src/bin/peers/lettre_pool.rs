//! lettre's pool, as it comes: as many tasks as connections.

use std::sync::Arc;

use benches::Failure;
use benches::contest::Job;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::task::JoinSet;

use crate::{Countdown, text};

pub(crate) async fn send(job: Job) -> Result<(), Failure> {
    let most = u32::try_from(job.connections)?;
    let pool = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(job.relay.ip().to_string())
        .port(job.relay.port())
        .pool_config(PoolConfig::new().max_size(most))
        .build();
    let left = Arc::new(Countdown::new(job.mails));
    let mut tasks = JoinSet::new();
    for _ in 0..job.connections {
        let (pool, left, text) = (pool.clone(), Arc::clone(&left), text(job.bytes));
        tasks.spawn(async move {
            while let Some(i) = left.take() {
                let mail = Message::builder()
                    .from("Shop <news@shop.example>".parse()?)
                    .to(format!("user{i}@example.com").parse()?)
                    .subject("Spring")
                    .body(text.clone())?;
                pool.send(mail).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
