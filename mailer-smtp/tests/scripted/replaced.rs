//! A connection that takes the place of another: a balancer may lead it to a relay that offers less.

use std::time::Duration;

use testkit::{Rule, SmtpServer, Stage};

use crate::support::{deliver, server, short, transport};

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
