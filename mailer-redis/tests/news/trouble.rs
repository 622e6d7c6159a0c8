//! A subscription that is lost or refused.

use mailer_core::Worker;
use mailer_core::domain::{Policy, Recipient};
use mailer_redis::RedisConfig;
use testkit::{Certificate, FaultProxy, Fsync, RedisCluster, RedisSentinel, RedisServer};
use tokio::sync::mpsc;

use super::scene::{
    NAMESPACE, Scene, Telling, campaign, content, have_subscribed, listeners, listens_and_sleeps,
    open, until,
};

#[tokio::test]
async fn a_subscription_that_is_killed_is_taken_up_again() {
    let server = RedisServer::builder().start().await.unwrap();
    let scene = Scene::at(&server).await;
    for to in ["ann@example.com", "bob@example.com"] {
        listens_and_sleeps(&server).await;
        let kill = ["CLIENT", "KILL", "TYPE", "pubsub"];
        assert_eq!(server.command(&kill).await.unwrap(), ":1\r\n");
        listens_and_sleeps(&server).await;
        scene.test_mail(to).await;
    }
}

#[tokio::test]
async fn a_server_that_was_restarted_is_heard_again() {
    let server = RedisServer::builder().append_only(Fsync::Always);
    let mut server = server.start().await.unwrap();
    let scene = Scene::at(&server).await;
    listens_and_sleeps(&server).await;
    server.kill();
    server.start().await.unwrap();
    listens_and_sleeps(&server).await;
    scene.test_mail("ann@example.com").await;
}

#[tokio::test]
async fn what_was_missed_is_found_when_the_subscription_stands_again() {
    let server = RedisServer::builder().start().await.unwrap();
    let mut network = FaultProxy::start(server.addr()).await.unwrap();
    let url = format!("redis://{}", network.addr());
    let near = RedisConfig::new(server.url(), NAMESPACE);
    let scene = Scene::of(&RedisConfig::new(url, NAMESPACE), &near).await;
    listens_and_sleeps(&server).await;
    network.refuse().await;
    network.cut().await;
    have_subscribed(&server, 0).await;
    let ann = Recipient::new("ann@example.com");
    scene.host.enqueue_test(&content(), ann).await.unwrap();
    network.pass().await.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

/// Users of Redis 7 may use no channel unless they are told which.
#[tokio::test]
async fn without_the_right_to_the_channel_all_else_works_and_health_says_what_is_missing() {
    let server = RedisServer::builder().start().await.unwrap();
    let user = format!("ACL SETUSER clerk on >secret resetchannels ~{{{NAMESPACE}}}* +@all");
    let words: Vec<_> = user.split(' ').collect();
    server.command(&words).await.unwrap();
    let url = format!("redis://clerk:secret@{}", server.addr());
    let mailer = open(&RedisConfig::new(url, NAMESPACE)).await;
    let closed = Policy::new().limit("0/day").unwrap();
    mailer.init_policy(&closed).await.unwrap();
    mailer.set_policy(&Policy::unlimited(), None).await.unwrap();
    let recipients = [Recipient::new("ann@example.com")];
    let id = mailer.submit(&campaign("c"), recipients).await.unwrap().id;
    mailer.pause(&id, "Eve", "a typo").await.unwrap();
    mailer.resume(&id).await.unwrap();

    let (told, mut mails) = mpsc::unbounded_channel();
    let worker = Worker::builder(&mailer).relay("default", Telling(told));
    let worker = worker.build().unwrap();
    let complaint = async {
        assert_eq!(mails.recv().await.unwrap(), "ann@example.com");
        loop {
            let warnings = worker.health().store_warnings;
            if let Some(complaint) = warnings.into_iter().find(|text| text.contains("NOPERM")) {
                return complaint;
            }
            tokio::task::yield_now().await;
        }
    };
    let complaint = tokio::select! {
        complaint = complaint => complaint,
        drained = worker.run(std::future::pending()) => panic!("{drained}"),
    };
    assert!(complaint.contains("next tick"), "{complaint}");
    assert!(complaint.contains("grant it"), "{complaint}");
}

#[tokio::test]
async fn any_node_of_a_cluster_leads_to_the_one_that_publishes() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let urls = cluster.urls();
    let all = RedisConfig::cluster(urls.clone(), NAMESPACE);
    let nodes = &*cluster.nodes();
    let mut owners = Vec::new();
    for (at, url) in urls.into_iter().enumerate() {
        let scene = Scene::of(&RedisConfig::cluster([url], NAMESPACE), &all).await;
        let owner = until(async || {
            for (at, node) in nodes.iter().enumerate() {
                if listeners(node).await == 1 {
                    return Some(at);
                }
            }
            None
        })
        .await;
        listens_and_sleeps(&nodes[owner]).await;
        scene.test_mail(&format!("r{at}@example.com")).await;
        owners.push(owner);
    }
    assert_eq!(owners, [owners[0]; 3]);
}

#[tokio::test]
async fn the_master_that_sentinels_name_is_listened_to() {
    let mut redis = RedisSentinel::start(1).await.unwrap();
    let config = RedisConfig::sentinel(redis.urls(), redis.name(), NAMESPACE).tolerate_rollback();
    let scene = Scene::of(&config, &config).await;
    listens_and_sleeps(redis.first()).await;
    scene.test_mail("ann@example.com").await;
    redis.switch().await.unwrap();
    listens_and_sleeps(redis.second()).await;
    scene.test_mail("bob@example.com").await;
}

#[tokio::test]
async fn news_come_over_tls() {
    let certificate = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let server = RedisServer::builder().tls(&certificate);
    let server = server.start().await.unwrap();
    let config = RedisConfig::new(server.tls_url().unwrap(), NAMESPACE)
        .root_certificates(certificate.ca_pem());
    let scene = Scene::of(&config, &config).await;
    listens_and_sleeps(&server).await;
    scene.test_mail("ann@example.com").await;
    assert!(
        scene
            .health()
            .store_warnings
            .iter()
            .all(|text| !text.contains("tick"))
    );
}
