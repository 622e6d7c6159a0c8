use std::sync::Arc;

use mailer_core::conformance::transport::Rig;
use mailer_smtp::SmtpTransport;
use testkit::Sink;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_takes_every_mail_once() {
    let sink = Sink::builder().dump().start().await.unwrap();
    let transport = SmtpTransport::builder(&sink.url())
        .connections(8)
        .build()
        .unwrap();
    let names = (0..500).map(|i| format!("r{i}"));
    let delivered = Rig::new(Arc::new(transport)).deliver(names).await;
    assert_eq!(delivered.count("sent"), 500, "{:?}", delivered.refused);
    let mut received: Vec<String> = sink
        .received()
        .await
        .unwrap()
        .into_iter()
        .map(|mail| mail.recipient)
        .collect();
    received.sort();
    received.dedup();
    assert_eq!(received.len(), 500);
}
