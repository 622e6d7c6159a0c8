//! The launcher of Postfix; a missing program is a failure.

use std::{fs, time::Duration};

use testkit::{Certificate, LaunchError, Postfix};

use crate::client::{Client, pause};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn it_queues_what_it_takes_and_refuses_as_told() {
    let refusing = Postfix::builder()
        .refuse("bad@x.example", "550 5.1.1 no such user")
        .refuse("full@x.example", "452 4.2.2 full");
    let postfix = refusing.start().await.unwrap();
    assert_eq!(postfix.url(), format!("smtp://{}", postfix.addr()));
    let mut client = Client::greeted(postfix.addr()).await;
    for _ in 0..2 {
        assert!(client.mail("ann@x.example", "hi").await.starts_with("250 "));
    }
    client.ask("MAIL FROM:<a@x.example>").await;
    for (recipient, reply) in [("bad", "550 5.1.1 "), ("full", "452 4.2.2 ")] {
        let rcpt = format!("RCPT TO:<{recipient}@x.example>");
        assert!(client.ask(&rcpt).await.starts_with(reply));
    }
    let deliveries = postfix.wait_for_deliveries(2, SOON).await.unwrap();
    assert_eq!(deliveries, ["ann@x.example", "ann@x.example"]);
    let refused = postfix.wait_for_log(2, "reject: RCPT", SOON).await.unwrap();
    assert!(refused.contains("<full@x.example>"), "{refused}");
}

#[tokio::test]
async fn dropping_it_ends_all_its_processes() {
    let postfix = Postfix::builder().start().await.unwrap();
    let mut client = Client::greeted(postfix.addr()).await;
    assert!(client.mail("ann@x.example", "hi").await.starts_with("250 "));
    let group = postfix.pid();
    assert!(members(group).len() > 3);
    drop(postfix);
    let mut left = members(group);
    for _ in 0..100 {
        if left.is_empty() {
            break;
        }
        pause(Duration::from_millis(50)).await;
        left = members(group);
    }
    assert!(left.is_empty(), "{left:?}");
}

/// The processes of this group that run.
fn members(group: u32) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats =
        processes.filter_map(|process| fs::read_to_string(process.path().join("stat")).ok());
    let is_member = |stat: &String| {
        let fields: Vec<&str> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        fields.first() != Some(&"Z") && fields.get(2) == Some(&group.to_string().as_str())
    };
    stats.filter(is_member).collect()
}

#[tokio::test]
async fn settings_reach_it() {
    let postfix = Postfix::builder()
        .setting("message_size_limit", "4321")
        .setting("myhostname", "other.example")
        .start()
        .await
        .unwrap();
    let mut client = Client::dial(postfix.addr()).await;
    assert!(client.reply().await.starts_with("220 other.example "));
    let offers = client.ask("EHLO test").await;
    assert!(
        offers.contains("SIZE 4321\r\n") && offers.contains("CHUNKING\r\n"),
        "{offers}"
    );
}

#[tokio::test]
async fn it_asks_for_tls_and_for_a_login() {
    let certificate = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let builder = Postfix::builder().starttls(certificate);
    let postfix = builder.start().await.unwrap();
    assert!(postfix.ca_pem().is_some());
    let mut client = Client::greeted(postfix.addr()).await;
    assert!(client.ask("MAIL FROM:<a@x>").await.starts_with("530 "));

    let postfix = Postfix::builder()
        .auth("ann", "secret")
        .start()
        .await
        .unwrap();
    let mut client = Client::greeted(postfix.addr()).await;
    client.ask("MAIL FROM:<a@x.example>").await;
    assert!(
        client
            .ask("RCPT TO:<b@x.example>")
            .await
            .starts_with("554 5.7.1 ")
    );
    client.ask("RSET").await;
    // "\0ann\0wrong" and "\0ann\0secret".
    assert!(
        client
            .ask("AUTH PLAIN AGFubgB3cm9uZw==")
            .await
            .starts_with("535 5.7.8 ")
    );
    assert!(
        client
            .ask("AUTH PLAIN AGFubgBzZWNyZXQ=")
            .await
            .starts_with("235 2.7.0 ")
    );
    assert!(client.mail("b@x.example", "hi").await.starts_with("250 "));
}

#[tokio::test]
async fn one_that_does_not_start_is_reported() {
    let wrong = Postfix::builder().setting("inet_interfaces", "no.such.host.example");
    let error = wrong.start().await.unwrap_err();
    assert!(matches!(error, LaunchError::Died { .. }), "{error}");
}
