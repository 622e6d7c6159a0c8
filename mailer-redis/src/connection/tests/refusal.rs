//! Servers that answer with a refusal.

use std::time::Duration;

use testkit::RedisServer;

use super::*;

async fn linked(flags: &[&str]) -> (RedisServer, Link) {
    let builder = RedisServer::builder().flags(flags.iter().copied());
    let server = builder.start().await.unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    (server, link)
}

#[tokio::test]
async fn a_server_that_becomes_a_replica_is_an_outage_until_it_is_master_again() {
    let (server, link) = linked(&[]).await;
    count(&link).await.unwrap();
    server
        .command(&["REPLICAOF", "127.0.0.1", "1"])
        .await
        .unwrap();
    for _ in 0..4 {
        let error = within(CALL, count(&link)).await.unwrap_err();
        is_outage(&error);
        says(&error, &["is a replica", "READONLY"]);
    }
    server.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    assert_eq!(within(CALL, count(&link)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_replica_without_its_master_is_an_outage() {
    let (server, link) = linked(&["--replica-serve-stale-data", "no"]).await;
    server
        .command(&["REPLICAOF", "127.0.0.1", "1"])
        .await
        .unwrap();
    let error = within(CALL, count(&link)).await.unwrap_err();
    is_outage(&error);
    says(&error, &["MASTERDOWN"]);
    server.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    within(CALL, count(&link)).await.unwrap();
}

#[tokio::test]
async fn a_full_memory_is_an_outage_until_there_is_room() {
    let (server, link) = linked(&[]).await;
    let limit = |bytes| ["CONFIG", "SET", "maxmemory", bytes];
    server.command(&limit("1000")).await.unwrap();
    let error = within(CALL, count(&link)).await.unwrap_err();
    is_outage(&error);
    says(&error, &["no memory left", "maxmemory", "OOM"]);
    assert!(error.retry_after() > Some(Duration::from_secs(1)));
    server.command(&limit("0")).await.unwrap();
    assert_eq!(within(CALL, count(&link)).await.unwrap(), 1);
}

#[tokio::test]
async fn too_few_replicas_are_an_outage() {
    let (_server, link) = linked(&["--min-replicas-to-write", "1"]).await;
    let error = within(CALL, count(&link)).await.unwrap_err();
    is_outage(&error);
    says(&error, &["too few replicas", "NOREPLICAS"]);
}

#[tokio::test]
async fn too_many_clients_are_an_outage() {
    let (server, link) = linked(&[]).await;
    server
        .command(&["CONFIG", "SET", "maxclients", "1"])
        .await
        .unwrap();
    let mut failed = None;
    for _ in 0..4 {
        match within(CALL, count(&link)).await {
            Ok(_) => {}
            Err(error) => failed = Some(error),
        }
    }
    let error = failed.unwrap();
    is_outage(&error);
    says(&error, &["redis at"]);
}

#[tokio::test]
async fn a_key_of_another_type_is_incompatible() {
    let (server, link) = linked(&[]).await;
    server
        .command(&["LPUSH", "{test}:count", "x"])
        .await
        .unwrap();
    let error = count(&link).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    says(&error, &["another type", "another namespace", "WRONGTYPE"]);
}

#[tokio::test]
async fn what_a_script_says_of_rolled_back_data_is_said_to_the_caller() {
    let (_server, link) = linked(&[]).await;
    for source in [
        "return redis.error_reply('ROLLEDBACK change 7 was seen, the data has 3')",
        "error({err = 'ROLLEDBACK change 7 was seen, the data has 3'})",
    ] {
        let error = script(&link, source).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RolledBack);
        says(
            &error,
            &["count: store_rolled_back: change 7 was seen, the data has 3 (redis at"],
        );
    }
}

#[tokio::test]
async fn a_script_that_the_server_cannot_run_is_incompatible() {
    let (_server, link) = linked(&[]).await;
    for source in [
        "return nothing.here",
        "return redis.call('NOSUCH')",
        "this is no Lua",
    ] {
        let error = script(&link, source).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
        says(&error, &["cannot run COUNT"]);
    }
}
