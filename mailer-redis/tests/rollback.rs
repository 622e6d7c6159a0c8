//! A store that has lost what it had confirmed sends nothing more.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::{Campaign, HaltCause, Outcome, Policy, Recipient};
use mailer_core::queue::Ledger;
use mailer_core::template::Template;
use mailer_core::transport::{ConnectError, Session, Transport, Work};
use mailer_core::{ErrorKind, Mailer, Worker};
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;
use tokio::sync::Notify;

/// Takes every mail, and counts.
#[derive(Debug, Clone, Default)]
struct Counting {
    sent: Arc<AtomicU64>,
    /// Told at each mail.
    heard: Arc<Notify>,
}

#[async_trait]
impl Transport for Counting {
    fn max_connections(&self) -> usize {
        2
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Session for Counting {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, _email)) = work.next().await {
            if let Ok(flight) = permit.begin() {
                self.sent.fetch_add(1, Ordering::SeqCst);
                self.heard.notify_one();
                let reply = "250 2.0.0 Ok".to_owned();
                flight.finish(Outcome::Sent { reply });
            }
        }
    }
}

async fn submit(mailer: &Mailer) {
    let campaign = Campaign::new("spring")
        .from("Shop <news@shop.example>")
        .template(Template::new("Spring").text("Dear reader"));
    let recipients = (0..5_000).map(|i| Recipient::new(format!("r{i}@example.com")));
    mailer.submit(&campaign, recipients).await.unwrap();
}

/// A worker in the midst of a campaign, and its server.
async fn running() -> (
    RedisServer,
    String,
    Counting,
    tokio::task::JoinHandle<mailer_core::Drained>,
) {
    let server = RedisServer::builder().start().await.unwrap();
    let namespace = support::namespace();
    let store = RedisStore::connect(server.url(), namespace.clone())
        .await
        .unwrap();
    let mailer = Mailer::open(store).await.unwrap();
    let policy = Policy::new()
        .limit("2/s pace")
        .unwrap()
        .limit("100000/hour")
        .unwrap();
    mailer.init_policy(&policy).await.unwrap();
    submit(&mailer).await;
    let relay = Counting::default();
    let worker = Worker::builder(&mailer)
        .relay("default", relay.clone())
        .build()
        .unwrap();
    let run = tokio::spawn(async move { worker.run(std::future::pending()).await });
    relay.heard.notified().await;
    (server, namespace, relay, run)
}

/// How the worker ended: by itself, or this fails.
async fn ended(run: tokio::task::JoinHandle<mailer_core::Drained>) -> mailer_core::Drained {
    tokio::select! {
        drained = run => drained.unwrap(),
        () = SystemClock.sleep(Duration::from_secs(60)) => panic!("the worker goes on"),
    }
}

#[tokio::test]
async fn an_emptied_server_stops_its_workers() {
    let (server, namespace, relay, run) = running().await;
    server.command(&["FLUSHALL"]).await.unwrap();
    let drained = ended(run).await;
    assert_eq!(
        drained.stopped_by,
        Some(HaltCause::StoreRolledBack),
        "{drained}"
    );

    // Another process finds an empty namespace; the worker that is gone sent nothing of what is submitted there.
    let sent = relay.sent.load(Ordering::SeqCst);
    let store = RedisStore::connect(server.url(), namespace).await.unwrap();
    let mailer = Mailer::open(store).await.unwrap();
    assert!(mailer.list().await.unwrap().is_empty());
    submit(&mailer).await;
    assert_eq!(relay.sent.load(Ordering::SeqCst), sent);
}

#[tokio::test]
async fn a_namespace_that_was_made_anew_is_not_taken_for_the_old_one() {
    let (server, namespace, _, run) = running().await;
    let store = RedisStore::connect(server.url(), namespace.clone())
        .await
        .unwrap();
    server.command(&["FLUSHALL"]).await.unwrap();
    let fresh = RedisStore::connect(server.url(), namespace).await.unwrap();
    assert!(fresh.list().await.unwrap().is_empty());
    let error = store.list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack, "{error}");
    assert!(error.to_string().contains("store_rolled_back"), "{error}");
    assert_eq!(
        ended(run).await.stopped_by,
        Some(HaltCause::StoreRolledBack)
    );
}

#[tokio::test]
async fn data_set_back_to_an_earlier_change_stops_its_workers_unless_that_is_tolerated() {
    let (server, namespace, relay, run) = running().await;
    let config = RedisConfig::new(server.url(), namespace.clone()).tolerate_rollback();
    let tolerant = RedisStore::open(&config).await.unwrap();
    let before = tolerant.list().await.unwrap();
    // What a replica that lagged behind, or an older dump, would hold.
    let meta = format!("{{{namespace}}}:meta");
    server
        .command(&["HINCRBY", &meta, "seq", "-3"])
        .await
        .unwrap();
    let drained = ended(run).await;
    assert_eq!(
        drained.stopped_by,
        Some(HaltCause::StoreRolledBack),
        "{drained}"
    );
    assert!(relay.sent.load(Ordering::SeqCst) < 5_000);
    assert_eq!(tolerant.list().await.unwrap().len(), before.len());
}
