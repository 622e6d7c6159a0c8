//! The mail catcher.

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use testkit::Catcher;
use tokio::sync::Barrier;

use crate::client::{Client, now};

#[tokio::test]
async fn every_mail_becomes_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("not/yet/there");
    let mut catcher = Catcher::start(&folder).await.unwrap();
    let mut client = Client::greeted(catcher.addr()).await;
    let reply = client
        .mail("../b+c@x.example", "Subject: s\r\n\r\n..dot")
        .await;
    assert!(reply.starts_with("250 "));
    let file = folder.join("000001-.._b+c@x.example.eml");
    assert_eq!(
        fs::read_to_string(file).unwrap(),
        "Subject: s\r\n\r\n.dot\r\n"
    );
    assert_eq!((catcher.count(), catcher.failures()), (1, 0));
    catcher.stop().await;

    let catcher = Catcher::start_on(catcher.addr(), &folder).await.unwrap();
    let mut client = Client::greeted(catcher.addr()).await;
    client.mail("b@x", "hi").await;
    assert!(folder.join("000002-b@x.eml").exists());
}

#[tokio::test]
async fn a_mail_that_cannot_be_written_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("outbox");
    let catcher = Catcher::start(&folder).await.unwrap();
    fs::remove_dir(&folder).unwrap();
    let mut client = Client::greeted(catcher.addr()).await;
    let reply = client.mail("b@x", "hi").await;
    assert!(reply.starts_with("451 4.3.0 "), "{reply}");
    assert_eq!((catcher.count(), catcher.failures()), (0, 1));
    fs::create_dir(&folder).unwrap();
    assert!(client.mail("b@x", "hi").await.starts_with("250 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_on_two_hundred_connections_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let catcher = Catcher::start(dir.path()).await.unwrap();
    let all_connected = Arc::new(Barrier::new(200));
    let clients: Vec<_> = (0..200)
        .map(|n| {
            let addr = catcher.addr();
            let all_connected = Arc::clone(&all_connected);
            tokio::spawn(async move {
                let mut client = Client::greeted(addr).await;
                client.stream.set_nodelay(true).unwrap();
                all_connected.wait().await;
                for mail in 0..5 {
                    let reply = client
                        .mail(&format!("{n}-{mail}@x"), &"x".repeat(2_000))
                        .await;
                    assert!(reply.starts_with("250 "));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    catcher
        .wait_for(1_000, Duration::from_secs(1))
        .await
        .unwrap();
    let recipients: BTreeSet<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.split_once('-').unwrap().1.to_owned())
        .collect();
    assert_eq!(recipients.len(), 1_000);
    assert_eq!(catcher.connections_peak(), 200);
}

#[tokio::test]
async fn no_reply_waits_for_a_delayed_acknowledgement() {
    let dir = tempfile::tempdir().unwrap();
    let catcher = Catcher::start(dir.path()).await.unwrap();
    let mut client = Client::greeted(catcher.addr()).await;
    client.stream.set_nodelay(true).unwrap();
    let started = now();
    for _ in 0..500 {
        assert!(client.mail("b@x", "hi").await.starts_with("250 "));
    }
    // At 40 ms for each mail it would be 20 s; a tenth of a second is usual.
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(catcher.count(), 500);
}
