//! A worker that would not look for an hour, and another process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::{Campaign, Content, OnUnknown, Outcome, Policy, Recipient};
use mailer_core::template::Template;
use mailer_core::transport::{ConnectError, Session, Transport, Work};
use mailer_core::{Health, Mailer, Worker};
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;
use tokio::sync::{Mutex, mpsc, oneshot};

pub(crate) const NAMESPACE: &str = "crm:mailer";
const CHANNEL: &str = "{crm:mailer}:news";
/// Far longer than anything takes here, and far shorter than an hour.
const LIMIT: Duration = Duration::from_secs(60);

/// A worker at work, in a process of its own as far as the store can tell.
pub(crate) struct Scene {
    mails: Mutex<mpsc::UnboundedReceiver<String>>,
    worker: Arc<Worker>,
    _stop: oneshot::Sender<()>,
    /// The other process.
    pub(crate) host: Mailer,
}

impl Scene {
    /// A worker that reaches the server by its URL, as does the other process.
    pub(crate) async fn at(server: &RedisServer) -> Self {
        let config = RedisConfig::new(server.url(), NAMESPACE);
        Self::of(&config, &config).await
    }

    /// A worker that reaches the server in one way, and a host that does in another.
    pub(crate) async fn of(worker: &RedisConfig, host: &RedisConfig) -> Self {
        Self::over(&open(worker).await, open(host).await).await
    }

    /// A worker over a mailer that may have others.
    pub(crate) async fn over(mailer: &Mailer, host: Mailer) -> Self {
        host.init_policy(&Policy::unlimited()).await.unwrap();
        let (told, mails) = mpsc::unbounded_channel();
        let worker = Arc::new(worker_of(mailer, Telling(told)));
        let (stop, stopped) = oneshot::channel::<()>();
        let working = Arc::clone(&worker);
        tokio::spawn(async move { working.run(async { drop(stopped.await) }).await });
        Self {
            mails: Mutex::new(mails),
            worker,
            _stop: stop,
            host,
        }
    }

    /// Waits for the next mail, and says to whom it went.
    pub(crate) async fn sent(&self) -> String {
        let mut mails = self.mails.lock().await;
        tokio::select! {
            mail = mails.recv() => mail.unwrap(),
            () = SystemClock.sleep(LIMIT) => panic!("nobody told the worker"),
        }
    }

    /// A test mail by the other process.
    pub(crate) async fn test_mail(&self, to: &str) {
        let recipient = Recipient::new(to);
        self.host.enqueue_test(&content(), recipient).await.unwrap();
        assert_eq!(self.sent().await, to);
    }

    pub(crate) fn health(&self) -> Health {
        self.worker.health()
    }
}

pub(crate) async fn open(config: &RedisConfig) -> Mailer {
    let store = RedisStore::open(config).await.unwrap();
    Mailer::open(store).await.unwrap()
}

pub(crate) fn worker_of(mailer: &Mailer, relay: impl Transport + 'static) -> Worker {
    let worker = Worker::builder(mailer).relay("default", relay);
    worker
        .idle_tick(Duration::from_secs(3_600))
        .build()
        .unwrap()
}

pub(crate) fn campaign(id: &str) -> Campaign {
    Campaign::new(id)
        .from("Shop <news@shop.example>")
        .template(Template::new("Spring").text("Dear reader"))
        .on_unknown(OnUnknown::Hold)
}

pub(crate) fn content() -> Content {
    Content::new()
        .from("Shop <news@shop.example>")
        .template(Template::new("Test").text("Does it work?"))
}

/// How often a command has run on the server.
pub(crate) async fn calls_of(server: &RedisServer, command: &str) -> u64 {
    let stats = server.command(&["INFO", "commandstats"]).await.unwrap();
    let name = format!("cmdstat_{command}:calls=");
    let count = stats.lines().find_map(|line| line.strip_prefix(&name));
    count.map_or(0, |rest| {
        let digits = rest.split(',').next().unwrap();
        digits.parse().unwrap()
    })
}

/// How many connections listen.
pub(crate) async fn listeners(server: &RedisServer) -> usize {
    let reply = server.command(&["PUBSUB", "NUMSUB", CHANNEL]).await;
    let count = reply.unwrap().lines().last().unwrap().to_owned();
    count.trim_start_matches(':').parse().unwrap()
}

/// Waits until so many listen.
pub(crate) async fn have_subscribed(server: &RedisServer, wanted: usize) {
    until(async || (listeners(server).await == wanted).then_some(())).await;
}

/// Waits for an answer.
pub(crate) async fn until<T>(question: impl AsyncFn() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            SystemClock.sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        answer = wait => answer,
        () = SystemClock.sleep(LIMIT) => panic!("it does not come about"),
    }
}

/// Waits until a worker listens and does nothing else: for longer than leases go without being renewed it has asked for
/// nothing.
pub(crate) async fn listens_and_sleeps(server: &RedisServer) {
    have_subscribed(server, 1).await;
    let mut before = None;
    let mut now = calls_of(server, "evalsha").await;
    while before != Some(now) {
        before = Some(now);
        SystemClock.sleep(Duration::from_millis(800)).await;
        now = calls_of(server, "evalsha").await;
    }
}

/// Takes every mail, and tells of it; but of what goes to `nobody@example.com` nobody knows, the first time.
#[derive(Debug, Clone)]
pub(crate) struct Telling(pub(crate) mpsc::UnboundedSender<String>);

#[async_trait]
impl Transport for Telling {
    fn max_connections(&self) -> usize {
        2
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Session for Telling {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, email)) = work.next().await {
            let Ok(flight) = permit.begin() else { continue };
            let to = email.to.address().to_string();
            flight.finish(if to == "nobody@example.com" {
                let reply = "the connection broke".to_owned();
                Outcome::Unknown { reply }
            } else {
                let reply = "250 2.0.0 Ok".to_owned();
                Outcome::Sent { reply }
            });
            // A test that is over does not listen.
            let _over = self.0.send(to);
        }
    }
}
