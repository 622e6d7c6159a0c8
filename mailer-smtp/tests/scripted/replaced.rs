//! A connection that takes the place of another: a balancer may lead it to a relay that offers less.

use std::time::Duration;

use mailer_smtp::SmtpTransport;
use testkit::{Rule, SmtpServer, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{deliver, every, server, short, transport};

/// From the second connection on the relay offers no more than this.
fn later_offers(text: &str) -> Rule {
    Rule::at(Stage::Ehlo).from_nth(2).reply(250, text)
}

fn slow_verdict() -> Rule {
    Rule::at(Stage::Dot).delay(Duration::from_millis(50))
}

/// Ways to lose the first connection under the second mail, when it is written already, and what the first mail is then.
fn losses() -> [(Vec<Rule>, &'static str); 4] {
    let idle = Rule::at(Stage::Mail).nth(2);
    [
        (vec![idle.clone().cut()], "sent"),
        (vec![idle.clone().reply(421, "4.4.2 idle")], "sent"),
        (vec![slow_verdict(), idle.stall()], "sent"),
        (
            vec![slow_verdict(), Rule::at(Stage::Dot).nth(1).cut()],
            "unknown",
        ),
    ]
}

/// The parameters of every `MAIL`, with the connection that it came on.
fn parameters(server: &SmtpServer) -> Vec<(u64, String)> {
    let mails = server.commands().into_iter();
    mails
        .filter(|command| command.line.starts_with("MAIL"))
        .map(|command| {
            let (_, parameters) = command.line.split_once('>').unwrap();
            (command.connection, parameters.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn a_mail_is_written_anew_for_what_the_next_connection_offers() {
    let helo = Rule::at(Stage::Ehlo).from_nth(2).reply(502, "5.5.1 what?");
    for poorer in [later_offers("relay\nPIPELINING"), helo] {
        for (rules, first) in losses() {
            let told = format!("{rules:?} {poorer:?}");
            let server = server(rules.into_iter().chain([poorer.clone()])).await;
            let transport = transport(&server).time_limits(short());
            let delivered = deliver(transport, &["ann", "bob"]).await;
            assert_eq!(delivered.codes(), [first, "sent"], "{told}: {delivered:?}");
            for (connection, parameters) in parameters(&server) {
                let is_declared = parameters.starts_with(" SIZE=");
                assert_eq!(is_declared, connection == 1, "{told}: {parameters}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_next_connection_does_not_take_is_not_sent_on_it() {
    for (offers, second, expected) in [
        ("relay\nPIPELINING", "j\u{f6}rg", "transient_recipient"),
        ("relay\nPIPELINING\nSIZE 100", "bob", "permanent_message"),
    ] {
        for (rules, first) in losses() {
            let told = format!("{rules:?} {offers:?}");
            let server = server(rules.into_iter().chain([later_offers(offers)])).await;
            let transport = transport(&server).time_limits(short());
            let delivered = deliver(transport, &["ann", second]).await;
            assert_eq!(
                delivered.codes(),
                [first, expected],
                "{told}: {delivered:?}"
            );
            let heard = parameters(&server);
            assert!(heard.iter().all(|(on, _)| *on == 1), "{told}: {heard:?}");
            // Nothing has been said on the fresh connection, and it is left as any other.
            assert_eq!(server.command_lines().last().unwrap(), "QUIT", "{told}");
        }
    }
}

#[tokio::test]
async fn a_mail_that_does_not_fit_the_next_connection_leaves_it_to_others() {
    for (rules, first) in losses() {
        let told = format!("{rules:?}");
        let poorer = later_offers("relay\nPIPELINING");
        let server = server(rules.into_iter().chain([poorer])).await;
        let transport = transport(&server).time_limits(short());
        let delivered = deliver(transport, &["ann", "j\u{f6}rg", "cy"]).await;
        let expected = [first, "transient_recipient", "sent"];
        assert_eq!(delivered.codes(), expected, "{told}: {delivered:?}");
        assert_eq!(server.connections().len(), 2, "{told}");
    }
}

/// Whoever greets nobody says nothing about this mail's sender. If that lasts, the next connection tells it of all mails.
#[tokio::test]
async fn a_refused_greeting_of_the_next_connection_is_no_refusal_of_the_sender() {
    for (rules, first) in losses() {
        let told = format!("{rules:?}");
        let closed = Rule::at(Stage::Connect).nth(2).reply(554, "no service");
        let server = server(rules.into_iter().chain([closed])).await;
        let transport = transport(&server).time_limits(short());
        let delivered = deliver(transport, &["ann", "bob", "cy"]).await;
        assert_eq!(
            delivered.codes(),
            [first, "transient_relay", "sent"],
            "{told}: {delivered:?}"
        );
    }
}

/// A relay that has no second place: it greets the next connection only when the last is closed, in both directions, and
/// does not read from it any more to find that out.
#[tokio::test]
async fn the_old_connection_is_closed_before_the_next_is_opened() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let relay = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        take(&mut first).await;
        first.write_all(b"421 4.4.2 idle\r\n").await.unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        // Whoever is there takes this, or lets it stand at last; nobody answers with a reset.
        while first.write_all(b"250 still here\r\n").await.is_ok() {}
        take(&mut second).await;
        second.write_all(b"221 bye\r\n").await.unwrap();
    });
    let transport = SmtpTransport::builder(&url).connections(1);
    let transport = transport.time_limits(every(Duration::from_secs(5)));
    let delivered = deliver(transport, &["ann", "bob"]).await;
    assert_eq!(delivered.codes(), ["sent", "sent"], "{delivered:?}");
    relay.await.unwrap();
}

/// Takes one mail, whatever its envelope is.
async fn take(stream: &mut TcpStream) {
    for (words, end) in [
        ("220 hi", "\r\n"),
        ("250-hi\r\n250 PIPELINING", "DATA\r\n"),
        ("250 ok\r\n250 ok\r\n354 go", "\r\n.\r\n"),
        ("250 ok", ""),
    ] {
        stream
            .write_all(format!("{words}\r\n").as_bytes())
            .await
            .unwrap();
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains(end) {
            assert!(stream.read_buf(&mut heard).await.unwrap() > 0);
        }
    }
}
