//! Every action, at the wire.

use std::{io::ErrorKind, time::Duration};

use testkit::{Outcome, Rule, SmtpServer, Stage};

use crate::client::{Client, now, pause};

const SHORT: Duration = Duration::from_millis(100);

async fn server(rules: impl IntoIterator<Item = Rule>) -> SmtpServer {
    SmtpServer::builder().rules(rules).start().await.unwrap()
}

#[tokio::test]
async fn reply_replaces_the_good_reply() {
    let server = server([
        Rule::at(Stage::Rcpt)
            .to("Bad@x")
            .reply(550, "5.1.1 no\nsuch user"),
        Rule::at(Stage::Mail).nth(1).reply(451, "4.3.2 busy"),
    ])
    .await;
    let mut client = Client::greeted(server.addr()).await;
    assert_eq!(client.ask("MAIL FROM:<a@x>").await, "451 4.3.2 busy\r\n");
    assert!(client.ask("RCPT TO:<a@x>").await.starts_with("503 "));
    assert!(client.ask("MAIL FROM:<a@x>").await.starts_with("250 "));
    assert_eq!(
        client.ask("RCPT TO:<bad@X>").await,
        "550-5.1.1 no\r\n550 such user\r\n"
    );
    assert!(client.ask("RCPT TO:<good@x>").await.starts_with("250 "));
    assert!(client.ask("DATA").await.starts_with("354 "));
    assert!(client.ask("hi\r\n.").await.starts_with("250 "));
    let mails = server.mails();
    assert_eq!(mails[0].to, ["good@x"]);
    assert_eq!(mails[0].refused, ["bad@X"]);
}

#[tokio::test]
async fn raw_replies_go_out_as_they_are() {
    let server = server([
        Rule::at(Stage::Connect).reply_raw(*b"\x00\xffgarbage\n"),
        Rule::at(Stage::Noop).reply_raw(*b"250"),
    ])
    .await;
    let mut client = Client::dial(server.addr()).await;
    client.send("NOOP\r\nQUIT\r\n").await;
    let (bytes, end) = client.rest().await;
    assert_eq!(bytes, b"\x00\xffgarbage\n250221 2.0.0 bye\r\n");
    end.unwrap();
}

#[tokio::test]
async fn a_reply_waits_until_more_was_said() {
    let server = server([Rule::at(Stage::Dot).first(1).hear_more()]).await;
    let mut client = Client::greeted(server.addr()).await;
    for line in ["MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA"] {
        client.ask(line).await;
    }
    client.send("hi\r\n.\r\n").await;
    assert!(client.is_silent_for(SHORT).await);
    assert!(client.ask("NOOP").await.starts_with("250 2.0.0 ok, queued"));
    assert_eq!(client.reply().await, "250 2.0.0 ok\r\n");
}

#[tokio::test]
async fn a_421_closes() {
    let server = server([Rule::at(Stage::Mail).reply(421, "4.7.0 slow down")]).await;
    let mut client = Client::greeted(server.addr()).await;
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\n").await;
    let (bytes, end) = client.rest().await;
    assert_eq!(bytes, b"421 4.7.0 slow down\r\n");
    end.unwrap();
    assert_eq!(server.connections_open(), 0);
}

#[tokio::test]
async fn delay_waits_and_lets_the_next_rule_speak() {
    let server = server([
        Rule::at(Stage::Noop).delay(SHORT),
        Rule::at(Stage::Noop).reply(250, "late"),
    ])
    .await;
    let mut client = Client::greeted(server.addr()).await;
    let asked = now();
    assert_eq!(client.ask("NOOP").await, "250 late\r\n");
    assert!(asked.elapsed() >= SHORT);
}

#[tokio::test]
async fn cut_closes_without_a_reply_at_every_stage() {
    let stages = [
        (Stage::Connect, "", 0),
        (Stage::Ehlo, "EHLO x\r\n", 1),
        (Stage::Helo, "HELO x\r\n", 1),
        (Stage::Auth, "EHLO x\r\nAUTH PLAIN AHUAcA==\r\n", 2),
        (
            Stage::Mail,
            "EHLO x\r\nAUTH PLAIN AHUAcA==\r\nMAIL FROM:<>\r\n",
            3,
        ),
        (Stage::Rset, "RSET\r\n", 1),
        (Stage::Noop, "NOOP\r\n", 1),
        (Stage::Quit, "QUIT\r\n", 1),
    ];
    for (stage, said, replies) in stages {
        let server = SmtpServer::builder()
            .auth("u", "p")
            .rule(Rule::at(stage).cut())
            .start()
            .await
            .unwrap();
        let mut client = Client::dial(server.addr()).await;
        client.send(said).await;
        client.send("NOOP\r\n").await;
        let (bytes, end) = client.rest().await;
        end.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let last_lines = text.lines().filter(|line| line.as_bytes()[3] == b' ');
        assert_eq!(last_lines.count(), replies, "{stage:?}: {text}");
    }
}

#[tokio::test]
async fn cut_in_a_transaction() {
    for (stage, outcome) in [
        (Stage::Rcpt, Outcome::Abandoned),
        (Stage::Data, Outcome::Abandoned),
        (Stage::Body(2), Outcome::Abandoned),
        (Stage::Dot, Outcome::Unanswered),
    ] {
        let server = server([Rule::at(stage).to("b@x").cut()]).await;
        let mut client = Client::greeted(server.addr()).await;
        client
            .send("MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nbody\r\n.\r\n")
            .await;
        client.rest().await.1.unwrap();
        let ended = server.transactions();
        assert_eq!(ended.len(), 1, "{stage:?}");
        assert_eq!(ended[0].outcome, outcome, "{stage:?}");
        assert_eq!(server.mails().len(), usize::from(stage == Stage::Dot));
        if stage == Stage::Body(2) {
            assert_eq!(ended[0].text(), "bo");
        }
    }
}

#[tokio::test]
async fn cut_after_sends_a_part_of_the_reply() {
    let server = server([
        Rule::at(Stage::Dot).cut_after(5),
        Rule::at(Stage::Dot).reply(250, "2.0.0 kept"),
    ])
    .await;
    let mut client = Client::greeted(server.addr()).await;
    client.envelope("b@x").await;
    client.send("hi\r\n.\r\n").await;
    let (bytes, end) = client.rest().await;
    assert_eq!(bytes, b"250 2");
    end.unwrap();
    assert_eq!(server.mails()[0].outcome, Outcome::Unanswered);
}

#[tokio::test]
async fn stall_keeps_the_connection_open_until_the_client_goes() {
    let server = server([Rule::at(Stage::Body(1)).stall()]).await;
    let mut client = Client::greeted(server.addr()).await;
    client.envelope("b@x").await;
    client.send("hi\r\n.\r\nNOOP\r\n").await;
    assert!(client.is_silent_for(SHORT).await);
    assert_eq!(server.connections_open(), 1);
    drop(client);
    pause(SHORT).await;
    assert_eq!(server.connections_open(), 0);
    assert!(server.connections()[0].closed_at.is_some());
}

#[tokio::test]
async fn reset_breaks_the_connection() {
    let server = server([Rule::at(Stage::Rcpt).reset()]).await;
    let mut client = Client::greeted(server.addr()).await;
    client.send("MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\n").await;
    let (bytes, end) = client.rest().await;
    assert_eq!(bytes, b"250 2.1.0 ok\r\n");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn half_close_goes_on_reading() {
    let server = server([Rule::at(Stage::Noop).half_close()]).await;
    let mut client = Client::greeted(server.addr()).await;
    client.send("NOOP\r\n").await;
    let (bytes, end) = client.rest().await;
    assert!(bytes.is_empty());
    end.unwrap();
    for _ in 0..20 {
        client.send("NOOP\r\n").await;
        pause(Duration::from_millis(10)).await;
    }
    assert_eq!(server.connections_open(), 1);
}

#[tokio::test]
async fn a_reply_may_come_before_the_body_is_through() {
    let server = server([Rule::at(Stage::Body(0)).reply(552, "5.3.4 too big")]).await;
    let mut client = Client::greeted(server.addr()).await;
    client.envelope("b@x").await;
    assert_eq!(client.reply().await, "552 5.3.4 too big\r\n");
    assert!(client.ask("hi\r\n.").await.starts_with("250 "));
}

#[tokio::test]
async fn a_354_without_recipients_is_possible() {
    let server = server([
        Rule::at(Stage::Rcpt).reply(550, "5.1.1 no"),
        Rule::at(Stage::Data).reply(354, "go"),
        Rule::at(Stage::Dot).reply(554, "5.5.1 no recipients"),
    ])
    .await;
    let mut client = Client::greeted(server.addr()).await;
    client
        .send("MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
        .await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(client.reply().await[..3].to_owned());
    }
    assert_eq!(codes, ["250", "550", "354"]);
    assert!(client.ask(".").await.starts_with("554 "));
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn rules_can_change_while_it_runs() {
    let server = server([Rule::at(Stage::Noop).reply(450, "no")]).await;
    let mut client = Client::greeted(server.addr()).await;
    assert!(client.ask("NOOP").await.starts_with("450 "));
    server.set_rules([]);
    assert!(client.ask("NOOP").await.starts_with("250 "));
    server.add_rule(Rule::at(Stage::Noop).reply(550, "no"));
    assert!(client.ask("NOOP").await.starts_with("550 "));
}
