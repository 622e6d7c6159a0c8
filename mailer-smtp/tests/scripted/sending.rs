use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::conformance::transport::Rig;
use mailer_core::domain::Outcome;
use testkit::{Rule, SmtpServer, Stage};

use crate::support::{deliver, outcome, outcome_at, server, short, transport};

/// Replies by stage, and the class that each makes of the mail.
const REFUSALS: [(Stage, u16, &str, &str); 21] = [
    (Stage::Mail, 421, "4.7.0 too many messages", "relay_limited"),
    (Stage::Mail, 451, "4.3.0 oops", "transient_relay"),
    (Stage::Mail, 450, "4.7.1 slow down", "relay_limited"),
    (
        Stage::Mail,
        530,
        "5.7.0 authentication required",
        "permanent_config",
    ),
    (Stage::Mail, 550, "5.7.1 not you", "permanent_config"),
    (Stage::Mail, 552, "5.3.4 too big", "permanent_message"),
    (
        Stage::Rcpt,
        550,
        "5.1.1 no such user",
        "permanent_recipient",
    ),
    (Stage::Rcpt, 571, "5.7.1 blocked", "policy_block"),
    (
        Stage::Rcpt,
        450,
        "4.2.0 greylisted, try again in 5 minutes",
        "transient_recipient",
    ),
    (Stage::Rcpt, 452, "4.2.2 full", "transient_recipient"),
    (Stage::Rcpt, 450, "4.7.28 unusual rate", "relay_limited"),
    (
        Stage::Rcpt,
        554,
        "5.7.1 Relay access denied",
        "permanent_config",
    ),
    (Stage::Rcpt, 421, "closing", "transient_relay"),
    (Stage::Data, 451, "later", "transient_relay"),
    (Stage::Data, 554, "5.7.1 no", "policy_block"),
    (Stage::Dot, 250, "", "sent"),
    (Stage::Dot, 421, "closing", "transient_relay"),
    (Stage::Dot, 451, "4.0.0 later", "transient_recipient"),
    (Stage::Dot, 451, "4.7.1 slow down", "relay_limited"),
    (Stage::Dot, 552, "5.3.4 too big", "permanent_message"),
    (Stage::Dot, 550, "5.7.1 spam", "policy_block"),
];

#[tokio::test]
async fn every_refusal_has_its_class_and_the_next_mail_goes_out() {
    for extension in ["PIPELINING", "NONE"] {
        for (stage, code, text, expected) in REFUSALS {
            let server = SmtpServer::builder()
                .without(if extension == "NONE" {
                    "PIPELINING"
                } else {
                    "NONE"
                })
                .rule(Rule::at(stage).nth(1).reply(code, text))
                .start()
                .await
                .unwrap();
            let delivered = deliver(transport(&server), &["ann", "bob"]).await;
            assert_eq!(
                delivered.codes(),
                [expected, "sent"],
                "{stage:?} {code} {text}: {delivered:?}"
            );
            // A mail that is behind the dot in question goes out on a connection that its session replaces by itself.
            let is_rescued = stage == Stage::Dot && extension != "NONE";
            let sessions = if code == 421 && !is_rescued { 2 } else { 1 };
            assert_eq!(delivered.connections, sessions, "{stage:?} {code} {text}");
        }
    }
}

#[tokio::test]
async fn words_and_waits_are_kept() {
    let later =
        outcome([Rule::at(Stage::Rcpt).reply(450, "4.2.0 greylisted\ntry again in 5 minutes")])
            .await;
    assert_eq!(
        later,
        Outcome::TransientRecipient {
            reply: "450 4.2.0 greylisted try again in 5 minutes".to_owned(),
            retry_after: Some(Duration::from_secs(300)),
        }
    );
    let sent = outcome([Rule::at(Stage::Dot).reply(250, "2.0.0 queued as 4F1")]).await;
    assert_eq!(
        sent,
        Outcome::Sent {
            reply: "250 2.0.0 queued as 4F1".to_owned()
        }
    );
}

#[tokio::test]
async fn odd_final_replies_still_decide() {
    let raw = async |bytes: &[u8]| {
        outcome([Rule::at(Stage::Dot).reply_raw(bytes)])
            .await
            .code()
    };
    assert_eq!(raw(b"250\r\n").await, "sent");
    assert_eq!(raw(b"250 ok\n").await, "sent");
    assert_eq!(raw(b"250-a\r\n250-b\r\n250 c\r\n").await, "sent");
    assert_eq!(raw(b"571 refus\xe9\r\n").await, "policy_block");
    assert_eq!(raw(b"354 go on\r\n").await, "unknown");
    assert_eq!(raw(b"ok\r\n").await, "unknown");
    assert_eq!(raw(b"250-ok\r\n550 no\r\n").await, "unknown");
}

#[tokio::test]
async fn a_cut_is_unknown_exactly_after_the_dot() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data] {
        for rule in [
            Rule::at(stage).cut(),
            Rule::at(stage).reset(),
            Rule::at(stage).half_close(),
        ] {
            let told = format!("{rule:?}");
            assert_eq!(outcome([rule]).await.code(), "transient_relay", "{told}");
        }
    }
    // A small mail leaves in one write, so from its first byte on nobody knows.
    for bytes in [1, 500, 2_000] {
        let rule = Rule::at(Stage::Body(bytes)).cut();
        assert_eq!(outcome([rule]).await.code(), "unknown", "{bytes}");
    }
    for rule in [
        Rule::at(Stage::Dot).cut(),
        Rule::at(Stage::Dot).reset(),
        Rule::at(Stage::Dot).half_close(),
    ] {
        let told = format!("{rule:?}");
        assert_eq!(outcome([rule]).await.code(), "unknown", "{told}");
    }
    // Any number of bytes of the last reply, but not its end.
    for n in 0..b"250 2.0.0 ok, queued\r\n".len() {
        assert_eq!(
            outcome([Rule::at(Stage::Dot).cut_after(n)]).await.code(),
            "unknown",
            "{n}"
        );
    }
}

#[tokio::test]
async fn a_large_mail_is_in_doubt_only_with_its_last_piece() {
    for rule in [
        Rule::at(Stage::Body(1)).reset(),
        Rule::at(Stage::Body(100_000)).reset(),
        Rule::at(Stage::Body(100_000)).stall(),
        Rule::at(Stage::Body(100_000))
            .reply(451, "4.3.0 enough")
            .first(1),
    ] {
        let told = format!("{rule:?}");
        let server = server([rule]).await;
        let transport = transport(&server).time_limits(short()).build().unwrap();
        let delivered = Rig::new(Arc::new(transport)).large().deliver(["ann"]).await;
        assert_eq!(
            delivered.codes(),
            ["transient_relay"],
            "{told} {delivered:?}"
        );
        assert!(server.mails().is_empty());
    }
}

#[tokio::test]
async fn an_early_reply_is_never_the_verdict() {
    for (code, text, expected) in [
        (250, "2.0.0 too early", "transient_relay"),
        (550, "5.7.1 seen enough", "policy_block"),
        (452, "4.3.1 disk full", "transient_relay"),
    ] {
        // It comes with the 354, so it is there before the body is written.
        let early =
            Rule::at(Stage::Data).reply_raw(format!("354 go\r\n{code} {text}\r\n").into_bytes());
        let server = server([early]).await;
        assert_eq!(outcome_at(&server).await.code(), expected);
        assert!(server.mails().is_empty());
    }
}

#[tokio::test]
async fn nobody_gets_an_empty_mail() {
    // 354 although the recipient was refused: an empty body for nobody, and the connection stays.
    let data = || Rule::at(Stage::Data).nth(1).reply(354, "go on");
    let server = SmtpServer::builder()
        .rule(
            Rule::at(Stage::Rcpt)
                .nth(1)
                .reply(550, "5.1.1 no such user"),
        )
        .rule(data())
        .start()
        .await
        .unwrap();
    let delivered = deliver(transport(&server), &["ann", "bob"]).await;
    assert_eq!(
        delivered.codes(),
        ["permanent_recipient", "sent"],
        "{delivered:?}"
    );
    assert_eq!(server.connections().len(), 1);
    assert!(
        server
            .mails()
            .iter()
            .all(|mail| mail.to == ["bob@example.com"] || mail.to.is_empty())
    );
}

#[tokio::test]
async fn silence_is_bounded_at_every_stage() {
    for (stage, expected) in [
        (Stage::Mail, "transient_relay"),
        (Stage::Rcpt, "transient_relay"),
        (Stage::Data, "transient_relay"),
        (Stage::Body(10), "unknown"), // the whole mail fits into the socket's buffers
        (Stage::Dot, "unknown"),
    ] {
        let server = server([Rule::at(stage).stall()]).await;
        let started = SystemClock.monotonic();
        let delivered = deliver(transport(&server).time_limits(short()), &["ann"]).await;
        assert_eq!(delivered.codes(), [expected], "{stage:?}");
        assert!(
            SystemClock.monotonic() - started < Duration::from_secs(3),
            "{stage:?}"
        );
    }
    let server = server([
        Rule::at(Stage::Rcpt).reply(550, "5.1.1 no"),
        Rule::at(Stage::Rset).stall(),
    ])
    .await;
    let delivered = deliver(transport(&server).time_limits(short()), &["ann", "bob"]).await;
    assert_eq!(delivered.codes(), ["permanent_recipient"; 2]);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    for rule in [
        Rule::at(Stage::Mail).on_connection(1).nth(3).cut(),
        Rule::at(Stage::Mail).on_connection(1).nth(3).reset(),
        Rule::at(Stage::Mail)
            .on_connection(1)
            .nth(3)
            .reply(421, "4.4.2 idle for too long"),
    ] {
        let server = server([rule]).await;
        let delivered = deliver(transport(&server), &["a", "b", "c", "d"]).await;
        assert_eq!(delivered.codes(), ["sent"; 4], "{delivered:?}");
        assert_eq!((server.mails().len(), server.connections().len()), (4, 2));
    }
    // A fresh connection gets no second chance, and a second closing in turn none either.
    let server = server([Rule::at(Stage::Mail).from_nth(2).cut()]).await;
    let delivered = deliver(transport(&server), &["a", "b"]).await;
    assert_eq!(
        delivered.codes(),
        ["sent", "transient_relay"],
        "{delivered:?}"
    );
}

#[tokio::test]
async fn a_flight_is_one_segment() {
    let server = server([]).await;
    deliver(transport(&server).overlap(false), &["ann", "bob"]).await;
    let commands = server.commands();
    let reads: Vec<u64> = commands
        .iter()
        .filter(|c| c.line.starts_with("MAIL"))
        .map(|c| c.read)
        .collect();
    for (verb, ahead) in [("RCPT", "RCPT TO"), ("DATA", "DATA")] {
        let same: Vec<u64> = commands
            .iter()
            .filter(|c| c.line.starts_with(ahead))
            .map(|c| c.read)
            .collect();
        assert_eq!(same, reads, "{verb}");
    }
    // One flight for the envelope and one for the mail.
    assert_eq!(reads[1] - reads[0], 2);
    let body = server.mails().remove(0).text();
    assert!(
        body.contains("\r\n.It has a line that begins with a dot.\r\n"),
        "{body}"
    );
}
