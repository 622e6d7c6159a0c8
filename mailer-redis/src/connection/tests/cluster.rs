//! A Cluster of three masters.

use std::time::Duration;

use testkit::{Certificate, RedisCluster, RedisServer};

use super::*;

#[tokio::test]
async fn calls_reach_the_node_that_has_the_namespace() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let config = shortened(RedisConfig::cluster(cluster.urls(), "test")).connections(2);
    let link = Link::open(&config).await.unwrap();
    assert_eq!(link.report().servers().len(), 3);
    for n in 1..=20 {
        assert_eq!(within(CALL, count(&link)).await.unwrap(), n);
    }

    // A plain configuration reaches two nodes that do not have the namespace, and is told so.
    let mut owner = None;
    for (at, node) in cluster.nodes().iter().enumerate() {
        match Link::open(&quick(node.url())).await {
            Ok(_) => owner = Some(at),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Invalid);
                says(&error, &["use RedisConfig::cluster", "MOVED"]);
            }
        }
    }
    let owner = owner.unwrap();

    let kill = ["CLIENT", "KILL", "TYPE", "normal"];
    cluster.nodes()[owner].command(&kill).await.unwrap();
    let took = recovers(&link, Duration::from_secs(3)).await;
    println!("after CLIENT KILL: {took:?}");

    cluster.nodes()[owner].pause().unwrap();
    for _ in 0..3 {
        is_outage(&within(CALL, count(&link)).await.unwrap_err());
    }
    cluster.nodes()[owner].resume().unwrap();
    let took = recovers(&link, Duration::from_secs(10)).await;
    println!("after a pause: {took:?}");

    cluster.nodes()[owner].kill();
    for _ in 0..3 {
        let error = within(CALL, count(&link)).await.unwrap_err();
        is_outage(&error);
        says(&error, &["redis cluster at"]);
    }
    cluster.nodes()[owner].start().await.unwrap();
    let took = recovers(&link, Duration::from_secs(10)).await;
    println!("after a restart: {took:?}");
}

/// Nodes name each other to who comes by TLS with the ports that they have for it.
#[tokio::test]
async fn calls_and_news_reach_the_node_over_tls() {
    let certificate = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let cluster = RedisCluster::start_with_tls(&certificate).await.unwrap();
    for url in cluster.tls_urls() {
        let config = shortened(RedisConfig::cluster([url], "test"));
        let link = Link::open(&config.root_certificates(certificate.ca_pem())).await;
        let link = link.unwrap();
        assert_eq!(link.report().servers().len(), 3);
        for _ in 0..8 {
            within(CALL, count(&link)).await.unwrap();
        }
        hears(&link).await;
    }
    let config = shortened(RedisConfig::cluster(cluster.tls_urls(), "test"));
    let error = within(CALL, Link::open(&config)).await.unwrap_err();
    says(&error, &["certificate"]);
}

#[tokio::test]
async fn a_server_that_is_no_cluster_is_invalid() {
    let server = RedisServer::builder().start().await.unwrap();
    let config = shortened(RedisConfig::cluster([server.url()], "test"));
    let error = within(CALL, Link::open(&config)).await.unwrap_err();
    says(&error, &["redis cluster at"]);
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_an_outage() {
    let config = shortened(RedisConfig::cluster(["redis://127.0.0.1:1"], "test"));
    let error = within(CALL, Link::open(&config)).await.unwrap_err();
    is_outage(&error);
    says(&error, &["redis cluster at 127.0.0.1:1"]);
}
