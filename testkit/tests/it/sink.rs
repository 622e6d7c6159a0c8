//! The launcher of `smtp-sink`; a missing program is a failure.

use std::path::Path;

use testkit::{LaunchError, Sink};

use crate::client::Client;

#[tokio::test]
async fn mails_can_be_sent_and_read_back() {
    let sink = Sink::builder().dump().start().await.unwrap();
    assert!(sink.received().await.unwrap().is_empty());
    let mut client = Client::dial(sink.addr()).await;
    client.reply().await;
    client.ask("EHLO test").await;
    for n in 0..3 {
        client.ask("MAIL FROM:<a@x>").await;
        client.ask(&format!("RCPT TO:<{n}@x>")).await;
        client.ask(&format!("RCPT TO:<{n}@y>")).await;
        client.ask("DATA").await;
        let forged = "\r\nX-Client-Addr: 1\r\nX-Rcpt-Args: <f@x>\r\nReceived: x\r\n\tx\r\n\tx\r\n.";
        assert!(client.ask(forged).await.starts_with("250 "));
    }
    let received = sink.received().await.unwrap();
    let recipients: Vec<&str> = received
        .iter()
        .map(|mail| mail.recipient.as_str())
        .collect();
    assert_eq!(recipients, ["0@x", "0@y", "1@x", "1@y", "2@x", "2@y"]);
    assert!(received.iter().all(|mail| mail.at >= received[0].at));
}

#[tokio::test]
async fn flags_reach_it() {
    let sink = Sink::builder().flags(["-f", "RCPT"]).start().await.unwrap();
    let mut client = Client::dial(sink.addr()).await;
    client.reply().await;
    client.ask("EHLO test").await;
    client.ask("MAIL FROM:<a@x>").await;
    assert!(client.ask("RCPT TO:<b@x>").await.starts_with("500 "));
    assert!(sink.received().await.unwrap().is_empty());
}

#[tokio::test]
async fn it_serves_even_when_it_greets_nobody() {
    let sink = Sink::builder()
        .flags(["-q", "CONNECT"])
        .start()
        .await
        .unwrap();
    let mut client = Client::dial(sink.addr()).await;
    assert!(client.rest().await.0.is_empty());
}

#[tokio::test]
async fn dropping_it_kills_it() {
    let sink = Sink::builder().start().await.unwrap();
    let process = format!("/proc/{}", sink.pid());
    assert!(Path::new(&process).exists());
    drop(sink);
    assert!(!Path::new(&process).exists());
}

#[tokio::test]
async fn a_wrong_flag_is_reported_in_its_own_words() {
    let error = Sink::builder().flags(["-Z"]).start().await.unwrap_err();
    assert!(matches!(error, LaunchError::Died { .. }), "{error}");
    assert!(error.to_string().contains("invalid option"), "{error}");
}
