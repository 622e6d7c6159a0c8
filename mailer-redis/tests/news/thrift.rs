//! News cost what they must and no more.

use futures_util::StreamExt as _;
use mailer_core::domain::{Policy, Recipient, Scope};
use mailer_core::news::News as _;
use mailer_core::{ErrorKind, Mailer};
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;
use tokio::sync::{mpsc, oneshot};

use super::scene::{
    NAMESPACE, Scene, Telling, calls_of, campaign, content, have_subscribed, listeners,
    listens_and_sleeps, open, worker_of,
};

async fn host(server: &RedisServer) -> Mailer {
    open(&RedisConfig::new(server.url(), NAMESPACE)).await
}

#[tokio::test]
async fn only_what_can_matter_to_an_idle_worker_is_published() {
    let server = RedisServer::builder().start().await.unwrap();
    let host = host(&server).await;
    let mut published = 0;
    macro_rules! publishes {
        ($times:literal, $call:expr) => {
            $call.await.unwrap();
            let before = std::mem::replace(&mut published, calls_of(&server, "publish").await);
            assert_eq!(published - before, $times, stringify!($call));
        };
    }
    let policy = Policy::new().limit("5/hour").unwrap();
    publishes!(1, host.init_policy(&policy));
    publishes!(0, host.set_policy(&policy, None));
    publishes!(1, host.set_policy(&Policy::unlimited(), None));

    let recipients = || (0..1_000).map(|i| Recipient::new(format!("r{i}@example.com")));
    let id = "c".parse().unwrap();
    publishes!(1, host.submit(&campaign("c"), recipients()));
    publishes!(0, host.submit(&campaign("c"), recipients()));
    publishes!(0, host.resume(&id));
    publishes!(0, host.pause(&id, "Eve", "a typo"));
    publishes!(1, host.resume(&id));
    publishes!(0, host.resume_scope(&Scope::Namespace));

    // A worker that was told of the first finds the others beside it.
    let ann = || Recipient::new("ann@example.com");
    publishes!(1, host.enqueue_test(&content(), ann()));
    publishes!(0, host.enqueue_test(&content(), ann()));
    publishes!(0, host.cancel(&id));
    publishes!(0, host.clear_policy());
}

#[tokio::test]
async fn workers_of_a_process_share_a_connection_and_a_host_has_none() {
    let server = RedisServer::builder().start().await.unwrap();
    let mailer = host(&server).await;
    mailer.init_policy(&Policy::unlimited()).await.unwrap();
    let recipients = [Recipient::new("ann@example.com")];
    mailer.submit(&campaign("c"), recipients).await.unwrap();
    assert_eq!(listeners(&server).await, 0);

    let mut stops = Vec::new();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let worker = worker_of(&mailer, Telling(mpsc::unbounded_channel().0));
        let (stop, stopped) = oneshot::channel::<()>();
        stops.push(stop);
        runs.push(tokio::spawn(async move {
            worker.run(async { drop(stopped.await) }).await
        }));
    }
    have_subscribed(&server, 1).await;
    let clients = server.command(&["CLIENT", "LIST", "TYPE", "pubsub"]).await;
    assert_eq!(clients.unwrap().matches("sub=1").count(), 1);

    drop(stops.pop());
    runs.pop().unwrap().await.unwrap();
    assert_eq!(listeners(&server).await, 1);
    drop(stops.pop());
    runs.pop().unwrap().await.unwrap();
    have_subscribed(&server, 0).await;
}

/// As a worker does that is stopping, and still waits for its last mails.
#[tokio::test]
async fn who_no_longer_listens_keeps_nobody_from_subscribing_anew() {
    let server = RedisServer::builder().start().await.unwrap();
    let store = RedisStore::connect(server.url(), NAMESPACE).await.unwrap();
    let (mut listening, mut silent) = (store.subscribe(), store.subscribe());
    listening.next().await.unwrap().unwrap();
    silent.next().await.unwrap().unwrap();
    let kill = ["CLIENT", "KILL", "TYPE", "pubsub"];
    server.command(&kill).await.unwrap();
    let error = listening.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    assert!(listening.next().await.is_none());
    let mut anew = store.subscribe();
    anew.next().await.unwrap().unwrap();
    silent.next().await.unwrap().unwrap_err();
}

/// Tasks end with their runtime, that which listens for both workers among them.
#[tokio::test]
async fn a_worker_hears_again_when_the_runtime_that_listened_for_it_is_gone() {
    let server = RedisServer::builder().start().await.unwrap();
    let shared = host(&server).await;
    let first = worker_of(&shared, Telling(mpsc::unbounded_channel().0));
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.spawn(async move { first.run(std::future::pending()).await });
        runtime.block_on(async { drop(stopped.await) });
    });
    have_subscribed(&server, 1).await;
    let scene = Scene::over(&shared, host(&server).await).await;
    listens_and_sleeps(&server).await;
    drop(stop);
    runtime.join().unwrap();
    have_subscribed(&server, 0).await;
    listens_and_sleeps(&server).await;
    scene.test_mail("ann@example.com").await;
}
