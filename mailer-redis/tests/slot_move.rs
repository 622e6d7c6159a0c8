//! A Cluster that moves the namespace from one master to another while workers send.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::{Campaign, Content, Outcome, Policy, Recipient};
use mailer_core::template::Template;
use mailer_core::transport::{ConnectError, Session, Transport, Work};
use mailer_core::{Error, ErrorKind, Mailer, Worker};
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisCluster;

const KEY: &str = "{crm:mailer}:meta";
const RECIPIENTS: usize = 2_000;
const PAUSE: Duration = Duration::from_millis(20);
const HALFWAY: Duration = Duration::from_secs(2);
/// What it may take on a slow machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Takes a mail in a few milliseconds, and counts how often each address got one. Clones count together.
#[derive(Debug, Clone, Default)]
struct Counting(Arc<Mutex<HashMap<String, usize>>>);

impl Counting {
    fn counts(&self) -> HashMap<String, usize> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Counting {
    fn max_connections(&self) -> usize {
        4
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Session for Counting {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, email)) = work.next().await {
            let Ok(flight) = permit.begin() else { continue };
            let to = email.to.address().to_string();
            *self.0.lock().unwrap().entry(to).or_default() += 1;
            SystemClock.sleep(PAUSE).await;
            let reply = "250 2.0.0 Ok".to_owned();
            flight.finish(Outcome::Sent { reply });
        }
    }
}

async fn open(cluster: &RedisCluster) -> Mailer {
    let config = RedisConfig::cluster(cluster.urls(), "crm:mailer");
    let store = RedisStore::open(&config).await.unwrap();
    Mailer::open(store).await.unwrap()
}

/// Waits until so many have got a mail.
async fn have_got(relay: &Counting, count: usize) {
    let wait = async {
        while relay.counts().len() < count {
            SystemClock.sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = wait => {}
        () = SystemClock.sleep(LIMIT) => panic!("only {} have", relay.counts().len()),
    }
}

/// Moves the slot to the next master, key by key. Halfway it rests for longer than calls try by themselves.
async fn move_namespace(cluster: &RedisCluster) {
    let moving = cluster.move_slot_of(KEY).await.unwrap();
    let mut rounds = 0;
    while moving.carry(1).await.unwrap() > 0 {
        rounds += 1;
        let pause = if rounds == 10 { HALFWAY } else { PAUSE };
        SystemClock.sleep(pause).await;
    }
    assert!(rounds > 15, "there were too few keys");
    moving.finish().await.unwrap();
}

/// What a host does meanwhile, again and again: each call works, or says that it can be asked again.
async fn ask_all_the_time(host: &Mailer, over: &AtomicBool) -> (usize, usize) {
    let (mut asked, mut put_off) = (0, 0);
    let mut count = |result: Result<(), Error>| {
        asked += 1;
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.retry_after().is_some(), "{error}");
            put_off += 1;
        }
    };
    let id = "spring".parse().unwrap();
    while !over.load(Ordering::Relaxed) {
        count(host.status(&id).await.map(drop));
        count(host.policy().await.map(drop));
        count(host.resume(&id).await);
        SystemClock.sleep(PAUSE).await;
    }
    (asked, put_off)
}

#[tokio::test]
async fn a_slot_that_moves_under_load_loses_no_mail_and_sends_none_twice() {
    let cluster = RedisCluster::start().await.unwrap();
    let host = open(&cluster).await;
    let policy = Policy::unlimited().limit("100000/hour").unwrap();
    host.init_policy(&policy).await.unwrap();
    let campaign = Campaign::new("spring")
        .from("Shop <news@shop.example>")
        .template(Template::new("Spring").text("Dear reader"));
    let all = (0..RECIPIENTS).map(|i| Recipient::new(format!("r{i}@example.com")));
    let id = host.submit(&campaign, all).await.unwrap().id;

    let relay = Counting::default();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let worker = Worker::builder(&open(&cluster).await).relay("default", relay.clone());
        let worker = worker.build().unwrap();
        runs.push(tokio::spawn(async move {
            worker.run(std::future::pending()).await
        }));
    }

    let over = AtomicBool::new(false);
    let moves = async {
        let mut owners = vec![cluster.owner_of(KEY).await.unwrap()];
        for share in 1..=3 {
            have_got(&relay, RECIPIENTS * share / 5).await;
            move_namespace(&cluster).await;
            owners.push(cluster.owner_of(KEY).await.unwrap());
        }
        have_got(&relay, RECIPIENTS).await;
        over.store(true, Ordering::Relaxed);
        owners
    };
    let (owners, (asked, put_off)) = tokio::join!(moves, ask_all_the_time(&host, &over));
    assert_eq!(owners[0], owners[3]);
    assert!(owners[0] != owners[1] && owners[1] != owners[2]);
    assert!(put_off > 0 && put_off < asked, "{put_off} of {asked}");

    // Others still hear of what one does.
    let content = Content::new()
        .from("Shop <news@shop.example>")
        .template(Template::new("Test").text("Does it work?"));
    let me = Recipient::new("me@example.com");
    host.enqueue_test(&content, me).await.unwrap();
    have_got(&relay, RECIPIENTS + 1).await;

    let settled = async {
        while host.status(&id).await.unwrap().counts.in_flight > 0 {
            SystemClock.sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = settled => {}
        () = SystemClock.sleep(LIMIT) => panic!("something stays in flight"),
    }
    let counts = host.status(&id).await.unwrap().counts;
    assert_eq!(counts.sent, RECIPIENTS as u64, "{counts:?}");
    for (to, times) in relay.counts() {
        assert_eq!(times, 1, "{to}");
    }
    for run in &runs {
        assert!(!run.is_finished(), "a worker has stopped");
        run.abort();
    }
}
