//! mail-send has no pool: each task keeps a connection.

use std::sync::Arc;

use benches::Failure;
use benches::contest::Job;
use mail_send::SmtpClientBuilder;
use mail_send::smtp::message::Message;
use tokio::task::JoinSet;

use crate::{Countdown, text};

pub(crate) async fn send(job: Job) -> Result<(), Failure> {
    let builder = SmtpClientBuilder::new(job.relay.ip().to_string(), job.relay.port())?;
    let builder = Arc::new(builder.implicit_tls(false));
    let left = Arc::new(Countdown::new(job.mails));
    let mut tasks = JoinSet::new();
    for _ in 0..job.connections {
        let (builder, left, text) = (Arc::clone(&builder), Arc::clone(&left), text(job.bytes));
        tasks.spawn(async move {
            let mut client = builder.connect_plain().await?;
            while let Some(i) = left.take() {
                let to = format!("user{i}@example.com");
                let mail = format!(
                    "From: Shop <news@shop.example>\r\nTo: {to}\r\nSubject: Spring\r\n\r\n{text}"
                );
                let mail = Message::new("news@shop.example", [to.as_str()], mail.into_bytes());
                client.send(mail).await?;
            }
            client.quit().await?;
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
