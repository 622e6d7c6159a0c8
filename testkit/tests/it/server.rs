//! The good behaviour, the records and the life of the server.

use std::time::Duration;

use testkit::{Outcome, Reply, SmtpServer};

use crate::client::{Client, now, pause};

const SECOND: Duration = Duration::from_secs(1);

async fn server() -> SmtpServer {
    SmtpServer::builder().start().await.unwrap()
}

#[tokio::test]
async fn a_mail_is_recorded_before_it_is_acknowledged() {
    let server = server().await;
    let mut client = Client::greeted(server.addr()).await;
    assert!(
        client
            .ask("MAIL FROM:<a@x> BODY=8BITMIME SIZE=9")
            .await
            .starts_with("250 ")
    );
    for to in ["b@x", "c@x"] {
        assert!(
            client
                .ask(&format!("RCPT TO:<{to}>"))
                .await
                .starts_with("250 ")
        );
    }
    assert!(client.ask("DATA").await.starts_with("354 "));
    let reply = client.ask("Subject: s\r\n\r\n..\r\n..a\r\n.").await;
    let mail = &server.mails()[0];
    assert_eq!(mail.outcome, Outcome::Answered(Reply::raw(reply)));
    assert_eq!(mail.from, "a@x");
    assert_eq!(mail.parameters, "BODY=8BITMIME SIZE=9");
    assert_eq!(mail.to, ["b@x", "c@x"]);
    assert_eq!(mail.text(), "Subject: s\r\n\r\n.\r\n.a\r\n");
    assert_eq!(client.ask("QUIT").await, "221 2.0.0 bye\r\n");
    assert_eq!(server.connections_open(), 0);
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let server = server().await;
    let mut client = Client::greeted(server.addr()).await;
    let mail = "MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhi\r\n.\r\n";
    client.send(format!("{mail}{mail}QUIT\r\n")).await;
    let (bytes, end) = client.rest().await;
    end.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let codes: Vec<&str> = text.lines().map(|line| &line[..3]).collect();
    let expected = ["250", "250", "354", "250"].repeat(2);
    assert_eq!(codes, [expected, vec!["221"]].concat());
    let commands = server.commands();
    assert_eq!(commands.len(), 8);
    assert!(
        commands[1..]
            .iter()
            .all(|command| command.read == commands[1].read)
    );
    assert_ne!(commands[0].read, commands[1].read);
    assert_eq!(server.command_lines()[3], "DATA");
}

#[tokio::test]
async fn a_mail_can_come_in_pieces_of_one_byte() {
    let server = server().await;
    let mut client = Client::greeted(server.addr()).await;
    client.stream.set_nodelay(true).unwrap();
    for byte in "MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n..\r\n.\r\n".bytes() {
        client.send([byte]).await;
    }
    let mails = server.wait_for_mails(1, SECOND * 5).await.unwrap();
    assert_eq!(mails[0].text(), ".\r\n");
}

#[tokio::test]
async fn bad_sequences_and_parameters_are_refused() {
    let server = SmtpServer::builder()
        .without("SMTPUTF8")
        .without("8BITMIME")
        .max_size(10)
        .start()
        .await
        .unwrap();
    let mut client = Client::dial(server.addr()).await;
    client.reply().await;
    let dialogue = [
        ("MAIL FROM:<a@x>", "503 "),
        ("EHLO x", "250-"),
        ("RCPT TO:<b@x>", "503 "),
        ("DATA", "503 "),
        ("MAIL FROM:a@x", "501 "),
        ("MAIL FROM:<a@x> BODY=8BITMIME", "555 "),
        ("MAIL FROM:<a@x> SMTPUTF8", "555 "),
        ("MAIL FROM:<é@x>", "553 "),
        ("MAIL FROM:<a@x> SIZE=11", "552 "),
        ("MAIL FROM:<a@x> SIZE=10", "250 "),
        ("MAIL FROM:<a@x>", "503 "),
        ("DATA", "554 "),
        ("RCPT TO:<>", "501 "),
        ("RCPT TO:<b@x> NOTIFY=NEVER", "555 "),
        ("RCPT TO:<b@x>", "250 "),
        ("DATA", "354 "),
        ("123456789\r\n.", "552 "),
        ("MAIL FROM:<a@x>", "250 "),
        ("RSET", "250 "),
        ("DATA", "503 "),
        ("STARTTLS", "503 "),
        ("AUTH PLAIN", "503 "),
        ("VRFY x", "252 "),
        ("BDAT 3", "500 "),
    ];
    for (line, reply) in dialogue {
        let got = client.ask(line).await;
        assert!(got.starts_with(reply), "{line}: {got}");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn authentication_is_demanded_and_checked() {
    let server = SmtpServer::builder().auth("u", "p").start().await.unwrap();
    let mut client = Client::greeted(server.addr()).await;
    let dialogue = [
        ("MAIL FROM:<a@x>", "530 "),
        ("AUTH CRAM-MD5", "504 "),
        ("AUTH PLAIN AHUAeA==", "535 "),
        ("AUTH PLAIN !", "501 "),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"),
        ("dQ==", "334 UGFzc3dvcmQ6\r\n"),
        ("cA==", "235 "),
        ("AUTH PLAIN AHUAcA==", "503 "),
        ("MAIL FROM:<a@x> AUTH=<>", "250 "),
    ];
    for (line, reply) in dialogue {
        let got = client.ask(line).await;
        assert!(got.starts_with(reply), "{line}: {got}");
    }
    assert_eq!(server.connections()[0].user.as_deref(), Some("u"));

    let mut client = Client::greeted(server.addr()).await;
    assert_eq!(client.ask("AUTH PLAIN").await, "334 \r\n");
    assert!(client.ask("AHUAcA==").await.starts_with("235 "));
}

#[tokio::test]
async fn a_token_is_demanded_and_checked() {
    let server = SmtpServer::builder()
        .xoauth2("u", "t")
        .start()
        .await
        .unwrap();
    let mut client = Client::greeted(server.addr()).await;
    let dialogue = [
        ("MAIL FROM:<a@x>", "530 "),
        ("AUTH PLAIN AHUAcA==", "504 "),
        ("AUTH XOAUTH2 !", "501 "),
        // `user=u^Aauth=Bearer x^A^A`
        ("AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHgBAQ==", "334 ey"),
        ("", "535 "),
        ("AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHgBAQ==", "334 ey"),
        ("*", "501 "),
        ("AUTH XOAUTH2", "334 \r\n"),
        ("dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==", "235 "),
        ("MAIL FROM:<a@x>", "250 "),
    ];
    for (line, reply) in dialogue {
        let got = client.ask(line).await;
        assert!(got.starts_with(reply), "{line}: {got}");
    }
    assert_eq!(server.connections()[0].user.as_deref(), Some("u"));
}

#[tokio::test]
async fn limits_close_connections_with_421() {
    let server = SmtpServer::builder()
        .max_connections(2)
        .max_errors(3)
        .idle_timeout(Duration::from_millis(100))
        .start()
        .await
        .unwrap();
    let mut client = Client::greeted(server.addr()).await;
    let mut idle = Client::greeted(server.addr()).await;
    let mut third = Client::dial(server.addr()).await;
    assert!(third.rest().await.0.starts_with(b"421 4.7.0"));
    assert_eq!(server.connections_peak(), 3);

    client.send("A\r\nB\r\nC\r\nD\r\n").await;
    let text = String::from_utf8(client.rest().await.0).unwrap();
    let codes: Vec<&str> = text.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["500", "500", "500", "421"]);
    assert!(idle.rest().await.0.starts_with(b"421 4.4.2"));
}

#[tokio::test]
async fn latency_is_paid_once_per_read() {
    let round_trip = Duration::from_millis(50);
    let server = SmtpServer::builder()
        .latency(round_trip)
        .start()
        .await
        .unwrap();
    let mut client = Client::greeted(server.addr()).await;
    let sent = now();
    client.send("NOOP\r\n".repeat(20)).await;
    for _ in 0..20 {
        client.reply().await;
    }
    let took = sent.elapsed();
    assert!(took >= round_trip && took < round_trip * 10, "{took:?}");
}

#[tokio::test]
async fn stop_and_start_keep_the_port_and_the_records() {
    let mut server = server().await;
    let addr = server.addr();
    let mut client = Client::greeted(addr).await;
    client.mail("b@x", "hi").await;
    server.stop().await;
    // An end or a reset: either way it is over.
    let _ = client.rest().await;
    assert_eq!(server.connections_open(), 0);
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());

    server.start().await.unwrap();
    assert_eq!(server.addr(), addr);
    Client::greeted(addr).await.mail("c@x", "hi").await;
    assert_eq!(server.mails().len(), 2);
    assert_eq!(server.mails()[1].connection, 2);

    drop(server);
    let second = SmtpServer::builder().start_on(addr).await.unwrap();
    assert_eq!(second.addr(), addr);
}

#[tokio::test]
async fn dropping_it_takes_its_connections_along() {
    let server = server().await;
    let addr = server.addr();
    let mut client = Client::greeted(addr).await;
    drop(server);
    // An end or a reset: either way it is over.
    let _ = client.rest().await;
    pause(Duration::from_millis(50)).await;
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[test]
fn it_can_be_dropped_outside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(server());
    drop(runtime);
    drop(server);
}

#[tokio::test]
async fn waiting_in_vain_says_how_many_came() {
    let server = server().await;
    Client::greeted(server.addr()).await.mail("b@x", "hi").await;
    let error = server
        .wait_for_mails(2, Duration::from_millis(20))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 mails within 20ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_after_the_other_is_a_peak_of_one() {
    let server = server().await;
    for _ in 0..200 {
        let mut client = Client::greeted(server.addr()).await;
        client.ask("QUIT").await;
    }
    assert_eq!(server.connections_peak(), 1);
    assert_eq!(server.connections().len(), 200);
}

#[tokio::test]
async fn it_is_idle_when_the_last_client_has_gone() {
    let server = server().await;
    let client = Client::greeted(server.addr()).await;
    let error = server
        .wait_until_idle(Duration::from_millis(20))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "1 connections open after 20ms");
    drop(client);
    server.wait_until_idle(SECOND * 5).await.unwrap();
    assert_eq!(server.connections_open(), 0);
}

#[tokio::test]
async fn what_it_forgets_is_not_counted_again() {
    let server = server().await;
    let mut client = Client::greeted(server.addr()).await;
    client.mail("b@x", "hi").await;
    server.forget();
    assert!(server.mails().is_empty() && server.commands().is_empty());
    client.mail("c@x", "hi").await;
    assert_eq!((server.mail_count(), server.mails().len()), (1, 1));
    assert_eq!(server.connections_peak(), 1);
}
