//! Campaigns from and to addresses that are not ASCII, through the whole engine.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{Campaign, Failure, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::queue::Delivery;
use mailer_core::template::Template;
use mailer_core::{Mailer, Worker};
use mailer_smtp::SmtpTransport;
use testkit::SmtpServer;
use tokio::sync::oneshot;

use crate::support::server;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_international_domain_sends_as_any_other() {
    let server = server([]).await;
    let names = (0..12).map(|i| format!("r{i}@example.com"));
    let deliveries = campaign(&server, "news@b\u{fc}cher.example", names).await;
    let states: Vec<&str> = deliveries.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["sent"; 12], "{deliveries:?}");
    for mail in server.mails() {
        assert_eq!(mail.from, "news@xn--bcher-kva.example");
        let text = mail.text();
        let id = text.lines().find(|line| line.starts_with("Message-ID: <"));
        let id = id.unwrap_or_default();
        assert!(id.ends_with("@xn--bcher-kva.example>"), "{text}");
    }
}

#[tokio::test]
async fn what_the_relay_lacks_fails_the_mail_and_says_nothing_against_anybody() {
    let server = SmtpServer::builder().without("SMTPUTF8").start();
    let server = server.await.unwrap();
    let names = (0..12).map(|i| format!("j\u{f6}rg{i}@example.com"));
    let names = names.chain(["ann@example.com".to_owned()]);
    let mut deliveries = campaign(&server, "news@shop.example", names).await;
    let ann = deliveries.pop().unwrap();
    assert_eq!(ann.state, "sent", "{ann:?}");
    assert_eq!(deliveries.len(), 12);
    for delivery in deliveries {
        assert_eq!(delivery.state, "failed", "{delivery:?}");
        assert_eq!(delivery.failure, Some(Failure::Attempts), "{delivery:?}");
        let detail = delivery.detail.unwrap_or_default();
        assert!(detail.contains("SMTPUTF8"), "{detail}");
    }
}

/// What became of a campaign after ten minutes, with two attempts for each recipient.
async fn campaign(
    server: &SmtpServer,
    from: &str,
    names: impl IntoIterator<Item = String, IntoIter: Send> + Send,
) -> Vec<Delivery> {
    let clock = VirtualClock::at("2026-11-24T09:30:00Z".parse().unwrap());
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let mailer = Mailer::open(store).await.unwrap();
    let policy = Policy::unlimited().retry(&[MINUTE]);
    mailer.set_policy(&policy, None).await.unwrap();
    let transport = SmtpTransport::builder(&server.url()).connections(1);
    let worker = Worker::builder(&mailer)
        .relay("default", transport.build().unwrap())
        .build()
        .unwrap();
    let (stop, stopped) = oneshot::channel();
    let hold = clock.hold();
    let running = tokio::spawn(async move {
        let running = worker.run(async { stopped.await.unwrap_or_default() });
        drop(hold);
        running.await
    });
    let campaign = Campaign::new("international")
        .from(from)
        .template(Template::new("Hello").text("Dear reader"));
    let recipients = names.into_iter().map(Recipient::new);
    let id = mailer.submit(&campaign, recipients).await.unwrap().id;
    for _ in 0..10 {
        clock.advance(MINUTE).await;
    }
    let deliveries = mailer.outcomes(&id, 0).await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
    deliveries
}
