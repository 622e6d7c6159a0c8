//! A worker that hears what others changed in the store, under virtual time.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use mailer_core::clock::VirtualClock;
use mailer_core::domain::{Campaign, Fault, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::news::{News, Subscription};
use mailer_core::sim::FakeRelay;
use mailer_core::template::Template;
use mailer_core::{Drained, Error, Health, Mailer, Store, Worker};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// News of one kind, and how often they were subscribed to and heard.
#[derive(Debug, Default)]
struct Told {
    kind: Kind,
    subscribed: AtomicUsize,
    heard: AtomicUsize,
    open: Arc<()>,
    change: Arc<Notify>,
}

#[derive(Debug, Default)]
enum Kind {
    /// Whenever `change` says so.
    #[default]
    Changes,
    Endless,
    Ended,
    Refused(Option<Duration>),
}

#[derive(Debug)]
struct Teller(Arc<Told>);

impl News for Teller {
    fn subscribe(&self) -> Subscription {
        let told = Arc::clone(&self.0);
        let before = told.subscribed.fetch_add(1, Ordering::SeqCst);
        assert!(before < 1_000, "nobody pauses");
        let open = Arc::clone(&told.open);
        let news = match told.kind {
            Kind::Changes => stream::unfold(Arc::clone(&told.change), |change| async move {
                change.notified().await;
                Some((Ok(()), change))
            })
            .boxed(),
            Kind::Endless => stream::repeat_with(|| Ok(())).boxed(),
            Kind::Ended => stream::empty().boxed(),
            Kind::Refused(retry_after) => {
                let refusal = match retry_after {
                    Some(after) => Error::unavailable("news", "the line is cut", after),
                    None => Error::invalid("news", vec![Fault::new("url", "", "not permitted")]),
                };
                stream::iter([Err(refusal)]).boxed()
            }
        };
        Box::pin(news.inspect(move |_| {
            let _open = &open;
            let before = told.heard.fetch_add(1, Ordering::SeqCst);
            assert!(before < 1_000, "nobody rests");
        }))
    }
}

/// A worker that looks once an hour, unless it is told.
struct Stage {
    clock: VirtualClock,
    store: MemoryStore,
    mailer: Mailer,
    relay: FakeRelay,
    told: Arc<Told>,
    worker: Arc<Worker>,
    stop: oneshot::Sender<()>,
    run: JoinHandle<Drained>,
}

impl Stage {
    async fn with(kind: Kind) -> Self {
        let clock = VirtualClock::at("2026-11-24T09:30:00Z".parse().unwrap());
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let told = Arc::new(Told {
            kind,
            ..Told::default()
        });
        let news = Arc::new(Teller(Arc::clone(&told)));
        let mailer = Mailer::open(Store::from(store.clone()).with_news(news));
        let mailer = mailer.await.unwrap();
        mailer.init_policy(&Policy::unlimited()).await.unwrap();
        let relay = FakeRelay::new().clock(Arc::new(clock.clone()));
        let worker = Worker::builder(&mailer)
            .relay("default", relay.clone())
            .idle_tick(Duration::from_secs(3600))
            .build();
        let worker = Arc::new(worker.unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let working = Arc::clone(&worker);
        let run = tokio::spawn(async move { working.run(async { drop(stopped.await) }).await });
        let stage = Self {
            clock,
            store,
            mailer,
            relay,
            told,
            worker,
            stop,
            run,
        };
        stage
            .until(|stage| stage.told.subscribed.load(Ordering::SeqCst) > 0)
            .await;
        stage
    }

    /// Lets everybody go on until something is so, while no time passes.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            if is_so(self) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("nothing comes of it");
    }

    fn health(&self) -> Health {
        self.worker.health()
    }
}

#[tokio::test]
async fn a_worker_that_is_told_looks_at_once() {
    let stage = Stage::with(Kind::Changes).await;
    stage.clock.advance(Duration::from_secs(10)).await;
    // Another process has no way to this one's workers but the store.
    let other = Mailer::open(stage.store.clone()).await.unwrap();
    let campaign = Campaign::new("spring")
        .from("Shop <news@shop.example>")
        .template(Template::new("Spring").text("Dear reader"));
    let recipients = [Recipient::new("ann@example.com")];
    other.submit(&campaign, recipients).await.unwrap();
    stage.clock.advance(Duration::from_secs(10)).await;
    assert!(stage.relay.mails().is_empty());
    stage.told.change.notify_one();
    stage.until(|stage| stage.relay.mails().len() == 1).await;
}

#[tokio::test]
async fn news_without_end_are_looked_at_twenty_times_a_second() {
    let stage = Stage::with(Kind::Endless).await;
    stage.clock.advance(Duration::from_secs(10)).await;
    let heard = stage.told.heard.load(Ordering::SeqCst);
    assert!((200..=202).contains(&heard), "{heard}");
    assert_eq!(stage.told.subscribed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn news_that_fail_are_asked_for_after_a_pause_and_health_tells() {
    for (kind, times, why) in [
        (Kind::Refused(Some(Duration::from_secs(2))), 29..=31, "cut"),
        (Kind::Refused(Some(Duration::from_secs(90))), 12..=13, "cut"),
        (Kind::Refused(None), 1..=2, "not permitted"),
        (Kind::Ended, 59..=61, "ended"),
    ] {
        let what = format!("{kind:?}");
        let stage = Stage::with(kind).await;
        stage.clock.advance(Duration::from_secs(60)).await;
        let subscribed = stage.told.subscribed.load(Ordering::SeqCst);
        assert!(times.contains(&subscribed), "{what}: {subscribed}");
        let complaints = stage.health().store_warnings;
        assert!(complaints[0].contains(why), "{complaints:?}");
        // It works all the same.
        let recipients = [Recipient::new("ann@example.com")];
        let campaign = Campaign::new("spring")
            .from("Shop <news@shop.example>")
            .template(Template::new("Spring").text("Dear reader"));
        stage.mailer.submit(&campaign, recipients).await.unwrap();
        stage.until(|stage| stage.relay.mails().len() == 1).await;
    }
}

#[tokio::test]
async fn a_worker_that_stops_ends_its_subscription() {
    let stage = Stage::with(Kind::Changes).await;
    assert_eq!(Arc::strong_count(&stage.told.open), 2);
    drop(stage.stop);
    stage.run.await.unwrap();
    assert_eq!(Arc::strong_count(&stage.told.open), 1);
}
