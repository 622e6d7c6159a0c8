//! Every call of the store while its server fails: an error in time that says whether asking again can help, nothing half
//! done, and the same answer as ever once the server is back.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod calls;
#[path = "../support/mod.rs"]
mod support;

use mailer_core::domain::Policy;
use mailer_core::gate::Gate as _;
use mailer_core::policy_store::PolicyStore as _;
use mailer_core::queue::{
    ClaimReply, Created, DeferQueue as _, Intake as _, Ledger as _, SettleResult, Settled,
    Settlement,
};
use mailer_core::{Error, ErrorKind};
use mailer_redis::RedisStore;
use testkit::RedisServer;

use calls::{every_call, first_of, records, request, spec, store};

fn all_fail(ended: Vec<(&'static str, Result<(), Error>)>) {
    for (name, result) in ended {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{name}: {error}");
        assert!(error.retry_after().is_some(), "{name}: {error}");
        assert!(error.to_string().contains("127.0.0.1"), "{name}: {error}");
    }
}

fn all_work(ended: Vec<(&'static str, Result<(), Error>)>) {
    for (name, result) in ended {
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

/// Nothing of what failed was half done.
async fn nothing_has_changed(store: &RedisStore) {
    let counts = store.status(&"c".parse().unwrap()).await.unwrap().counts;
    assert_eq!((counts.total, counts.pending), (5, 5), "{counts:?}");
    assert_eq!(store.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_stops_and_starts() {
    let mut server = RedisServer::builder()
        .append_only(testkit::Fsync::Always)
        .start()
        .await
        .unwrap();
    let (store, claim) = store(&server).await;
    server.kill();
    all_fail(every_call(&store, &claim).await);
    server.start().await.unwrap();
    nothing_has_changed(&store).await;
    all_work(every_call(&store, &claim).await);
}

#[tokio::test]
async fn a_server_that_stalls() {
    let server = RedisServer::builder().start().await.unwrap();
    let (store, claim) = store(&server).await;
    server.pause().unwrap();
    all_fail(every_call(&store, &claim).await);
    server.resume().unwrap();
    // What was asked while it stood still may be done now, and can be asked again all the same.
    all_work(every_call(&store, &claim).await);
}

#[tokio::test]
async fn a_server_that_forgets_its_scripts() {
    let server = RedisServer::builder().start().await.unwrap();
    let (store, claim) = store(&server).await;
    for (name, result) in every_call(&store, &claim).await {
        assert!(result.is_ok(), "{name}: {result:?}");
        server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
        server
            .command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            .await
            .unwrap();
    }
    server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
    all_work(every_call(&store, &claim).await);
}

#[tokio::test]
async fn a_server_without_memory_changes_nothing() {
    let server = RedisServer::builder().start().await.unwrap();
    let (store, claim) = store(&server).await;
    server
        .command(&["CONFIG", "SET", "maxmemory", "1mb"])
        .await
        .unwrap();
    // What only reads, or begins by removing something.
    let allowed = [
        "status",
        "list",
        "outcomes",
        "workers",
        "policy",
        "set_policy",
        "usage",
        "refund",
        "ticket",
        "hold",
        "resume",
        // Nothing is due that it could give.
        "claim",
    ];
    for (name, result) in every_call(&store, &claim).await {
        match result {
            Ok(()) => assert!(allowed.contains(&name), "{name}"),
            Err(error) if name == "ticket" => assert_eq!(error.kind(), ErrorKind::NotFound),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{name}: {error}");
                assert!(error.to_string().contains("memory"), "{name}: {error}");
            }
        }
    }
    nothing_has_changed(&store).await;
    server
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .await
        .unwrap();
    all_work(every_call(&store, &claim).await);
}

/// A counter that somebody broke is found before anything is written.
#[tokio::test]
async fn a_settlement_that_cannot_give_its_token_back_changes_nothing() {
    let server = RedisServer::builder().start().await.unwrap();
    let (store, claim) = store(&server).await;
    store.begin(&first_of(&claim)).await.unwrap();
    let keys = server.command(&["KEYS", "*:rate:hour:*"]).await.unwrap();
    let counter = keys.lines().nth(2).unwrap().to_owned();
    server
        .command(&["SET", &counter, "broken", "KEEPTTL"])
        .await
        .unwrap();
    let all: Vec<Settlement> = (0..5)
        .map(|index| Settlement {
            claim: claim.id,
            index,
            settled: Settled::NotStarted,
            detail: String::new(),
        })
        .collect();
    let error = store.settle(&all, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
    let counts = store.status(&"c".parse().unwrap()).await.unwrap().counts;
    assert_eq!((counts.in_flight, counts.pending), (1, 4), "{counts:?}");
    server
        .command(&["SET", &counter, "1", "KEEPTTL"])
        .await
        .unwrap();
    let reply = store.settle(&all, &[]).await.unwrap();
    assert!(
        reply
            .results
            .iter()
            .all(|result| *result == SettleResult::Applied),
        "{reply:?}"
    );
    nothing_has_changed(&store).await;
}

#[tokio::test]
async fn a_key_of_another_type_under_our_name_is_refused_at_once() {
    let server = RedisServer::builder().start().await.unwrap();
    for (key, command) in [("leases", "LPUSH"), ("waits", "SADD"), ("policy", "LPUSH")] {
        let namespace = support::namespace();
        let key = format!("{{{namespace}}}:{key}");
        server.command(&[command, &key, "x"]).await.unwrap();
        let error = RedisStore::connect(server.url(), namespace.clone())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible, "{error}");
        assert!(error.to_string().contains(&key), "{error}");
        let keys = server
            .command(&["KEYS", &format!("{{{namespace}}}*")])
            .await
            .unwrap();
        assert!(keys.starts_with("*1\r\n"), "{keys}");
    }
}

/// As data of a later version would be to workers that are not upgraded yet.
#[tokio::test]
async fn a_page_that_cannot_be_read_is_set_aside_and_stops_nobody_else() {
    let server = RedisServer::builder().start().await.unwrap();
    let namespace = support::namespace();
    let store = RedisStore::connect(server.url(), namespace.clone())
        .await
        .unwrap();
    store.init_policy(&Policy::unlimited()).await.unwrap();
    for id in ["a", "b"] {
        let Created::Loading(loading) = store.create(&spec(id), 1).await.unwrap() else {
            panic!("it is new");
        };
        let load = store.append(&loading.load, &records()).await.unwrap();
        store.seal(&load).await.unwrap();
    }
    // The page of `a`, whose stream was made first.
    let page = format!("{{{namespace}}}:1:page:0");
    server
        .command(&["SETRANGE", &page, "128", "zeppelin"])
        .await
        .unwrap();
    let mut claimed = Vec::new();
    for number in 1..=4 {
        if let ClaimReply::Claimed(claim) = store.claim(&request(number)).await.unwrap() {
            claimed.push(claim.binding.stream.to_string());
        }
    }
    assert_eq!(claimed, ["b"]);
    let status = store.status(&"a".parse().unwrap()).await.unwrap();
    assert_eq!(
        status.reason_code.as_deref(),
        Some("compose_unavailable"),
        "{status}"
    );
    assert!(status.detail.unwrap().contains("zeppelin"));
    assert_eq!(status.counts.pending, 5);
}
