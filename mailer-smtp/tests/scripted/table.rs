//! Every row of the table of replies, over a real socket.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::conformance::transport::{Delivered, Rig};
use mailer_core::domain::Outcome;
use mailer_core::transport::ConnectError;
use mailer_smtp::SmtpTransport;
use testkit::{Rule, SmtpServer, SmtpServerBuilder, Stage};
use tokio::task::JoinSet;

use crate::encrypted::{blind, certificate, trusting};
use crate::rows::{Row, rows};
use crate::support::{every, outcome, server, transport};

/// Long enough for a relay that answers, on a busy machine.
const SILENCE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_what_a_relay_gets() {
    let mut cases = JoinSet::new();
    // For the first two see `connecting` and `encrypted`.
    for row in rows()
        .into_iter()
        .filter(|row| !row.is_at("connect") && !row.is_at("TLS"))
    {
        let row = Arc::new(row);
        for (stage, example) in row.cases() {
            cases.spawn(case(Arc::clone(&row), stage, example));
        }
    }
    let count = cases.len();
    assert!(count > 200, "{count}");
    let mut failed = 0;
    while let Some(ended) = cases.join_next().await {
        failed += usize::from(ended.is_err());
    }
    assert_eq!(failed, 0, "of {count}: each has told why");
}

/// A relay that says `example` to its first mail, or to its first connection, and behaves well from there on.
async fn case(row: Arc<Row>, stage: &'static str, example: &'static str) {
    let told = format!("{stage} {example}");
    let server = relay(stage, example).start().await.unwrap();
    let transport = match stage {
        "STARTTLS" => trusting(&server),
        _ if example == "(no STARTTLS)" => blind(&server),
        "AUTH" => SmtpTransport::builder(&server.url().replace("://", "://u:p@")),
        _ => SmtpTransport::builder(&server.url()),
    };
    let transport = match example {
        "(silent)" => transport.time_limits(every(SILENCE)).overlap(false),
        _ => transport,
    };
    let rig = Rig::new(Arc::new(transport.connections(1).build().unwrap()));
    // Only a large mail is still on its way when the relay ends the connection.
    let rig = match (stage, example) {
        ("body", "(closed)" | "(reset)" | "(silent)") => rig.large(),
        _ => rig,
    };
    if matches!(stage, "greeting" | "EHLO" | "HELO" | "STARTTLS" | "AUTH") {
        let first = rig.deliver(["ann"]).await;
        let expected = row.class.replace("as HELO", "accepted");
        assert_eq!(class_of_connection(&first), expected, "{told}: {first:?}");
        let second = rig.deliver(["bob"]).await;
        let passes = !example.starts_with("(no ");
        assert_eq!(
            second.count("sent"),
            usize::from(passes),
            "{told}: {second:?}"
        );
        return;
    }
    let delivered = rig.deliver(["ann", "bob"]).await;
    let (class, wait) = class_of_mail(&delivered.outcomes[0].1);
    let expected = row.class.replace("misunderstood", "transient_relay");
    assert_eq!((class, wait), (expected, row.wait), "{told}: {delivered:?}");
    assert_eq!(delivered.codes()[1], "sent", "{told}: {delivered:?}");
    let resets = server.command_lines();
    let resets = resets.iter().filter(|line| *line == "RSET").count();
    let connection = match (server.connections().len(), resets) {
        (1, 0) => "keep",
        (1, 1) => "reset",
        (2, 0) => "close",
        other => panic!("{told}: {other:?} connections and resets"),
    };
    assert_eq!(connection, row.connection, "{told}: {delivered:?}");
}

/// As the table writes it.
fn class_of_connection(delivered: &Delivered) -> String {
    match delivered.refused.first() {
        None if delivered.codes() == ["sent"] => "accepted".to_owned(),
        None => format!("{delivered:?}"),
        Some(ConnectError::Transient { .. }) => "transient_relay".to_owned(),
        Some(ConnectError::Full { .. }) => "full".to_owned(),
        Some(ConnectError::Limited { .. }) => "relay_limited".to_owned(),
        Some(ConnectError::Config { cause, .. }) => format!("permanent_config: {cause}"),
    }
}

fn class_of_mail(outcome: &Outcome) -> (String, Option<Duration>) {
    match outcome {
        Outcome::Sent { .. } => ("accepted".to_owned(), None),
        Outcome::PermanentConfig { cause, .. } => (format!("permanent_config: {cause}"), None),
        Outcome::TransientRecipient { retry_after, .. }
        | Outcome::RelayLimited { retry_after, .. } => (outcome.code().to_owned(), *retry_after),
        other => (other.code().to_owned(), None),
    }
}

fn relay(stage: &str, example: &str) -> SmtpServerBuilder {
    let server = match stage {
        "STARTTLS" => SmtpServer::builder()
            .starttls(certificate("127.0.0.1"))
            .auth("u", "p"),
        "AUTH" => SmtpServer::builder().auth("u", "p"),
        _ => SmtpServer::builder(),
    };
    let rule = match (stage, example) {
        (_, "(no STARTTLS)") => return server,
        (_, "(no mechanism)") => {
            return server.rule(Rule::at(Stage::Ehlo).reply(250, "relay\nAUTH GSSAPI"));
        }
        ("body", "(closed)" | "(reset)" | "(silent)") => Rule::at(Stage::Body(100_000)),
        // It comes with the 354, so it is there before the body is written.
        ("body", reply) => {
            let reply = format!("354 go\r\n{}\r\n", reply.trim_matches(['(', ')']));
            return server.rule(Rule::at(Stage::Data).nth(1).reply_raw(reply));
        }
        ("greeting", _) => Rule::at(Stage::Connect),
        ("EHLO", _) => Rule::at(Stage::Ehlo),
        ("HELO", _) => Rule::at(Stage::Helo),
        ("STARTTLS", _) => Rule::at(Stage::StartTls),
        ("AUTH", _) => Rule::at(Stage::Auth),
        ("MAIL", _) => Rule::at(Stage::Mail),
        ("RCPT", _) => Rule::at(Stage::Rcpt),
        ("DATA", _) => Rule::at(Stage::Data),
        ("dot", _) => Rule::at(Stage::Dot),
        (other, _) => panic!("{other}"),
    };
    let rule = match example {
        "(closed)" => rule.nth(1).cut(),
        "(reset)" => rule.nth(1).reset(),
        "(silent)" => rule.nth(1).stall(),
        // The first may be the relay's question for what it was given with AUTH.
        odd if stage == "AUTH" && odd.starts_with('3') => {
            rule.nth(1).reply_raw(format!("{odd}\r\n{odd}\r\n"))
        }
        reply => rule.nth(1).reply_raw(format!("{reply}\r\n")),
    };
    let server = match stage {
        "HELO" => server.rule(Rule::at(Stage::Ehlo).nth(1).reply(502, "5.5.1 what?")),
        _ => server,
    };
    server.rule(rule)
}

#[tokio::test]
async fn what_is_not_understood_twice_needs_somebody_to_act() {
    let sequence = |stage| Rule::at(stage).reply(503, "5.5.1 bad sequence");
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data] {
        let server = server([sequence(stage)]).await;
        let rig = Rig::new(Arc::new(transport(&server).build().unwrap()));
        let codes = rig.deliver(["ann", "bob", "cy"]).await.codes();
        assert_eq!(
            codes,
            ["transient_relay", "permanent_config", "permanent_config"],
            "{stage:?}"
        );
        // It was the relay's fault, and has passed.
        server.set_rules([]);
        assert_eq!(rig.deliver(["ann"]).await.codes(), ["sent"]);
        server.set_rules([sequence(stage).nth(1)]);
        let codes = rig.deliver(["bob", "cy"]).await.codes();
        assert_eq!(codes, ["transient_relay", "sent"], "{stage:?}");
    }
}

#[tokio::test]
async fn the_wait_that_a_relay_names_counts() {
    for (text, minutes) in [
        ("4.2.1 too quickly, try again in 10 minutes", 10),
        ("4.7.1 Greylisted, retry after 60 seconds", 1),
        ("4.7.1 Greylisted", 5),
        ("4.2.1 too quickly", 60),
    ] {
        let outcome = outcome([Rule::at(Stage::Rcpt).reply(450, text)]).await;
        let (_, wait) = class_of_mail(&outcome);
        assert_eq!(wait, Some(Duration::from_secs(60 * minutes)), "{text}");
    }
}
