//! `smtp-sink`, and every way in which it can be told to fail.

use std::time::Duration;

use mailer_smtp::TimeLimits;
use testkit::Sink;

use crate::support::{codes, deliver, transport};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_takes_every_mail_once() {
    let sink = Sink::builder().dump().start().await.unwrap();
    let names = (0..500).map(|i| format!("r{i}"));
    let delivered = deliver(transport(&sink.url()).connections(8), names).await;
    assert_eq!(delivered.count("sent"), 500, "{:?}", delivered.refused);
    let mut received: Vec<String> = sink
        .received()
        .await
        .unwrap()
        .into_iter()
        .map(|mail| mail.recipient)
        .collect();
    received.sort();
    received.dedup();
    assert_eq!(received.len(), 500);
}

/// With these flags, two mails meet this.
async fn check(flags: &[&str], expected: &[&str]) {
    let sink = Sink::builder().flags(flags.iter().copied());
    let sink = sink.start().await.unwrap();
    let met = codes(transport(&sink.url())).await;
    assert_eq!(met, expected, "{flags:?}");
}

#[tokio::test]
async fn refusals() {
    let refused = "refused: transient";
    // It says 500. We may have written what it does not understand: once is an accident, twice is not.
    for stage in ["MAIL", "RCPT", "DATA"] {
        let misunderstood = ["transient_relay", "permanent_config"];
        check(&["-f", stage], &misunderstood).await;
    }
    check(&["-f", "."], &["policy_block"; 2]).await;
    check(&["-r", "MAIL"], &["transient_relay"; 2]).await;
    check(&["-r", "RCPT"], &["transient_recipient"; 2]).await;
    check(&["-r", "DATA"], &["transient_relay"; 2]).await;
    check(&["-r", "."], &["transient_relay"; 2]).await;
    check(&["-f", "CONNECT"], &["sender_refused"]).await;
    check(&["-r", "CONNECT"], &[refused]).await;
    // Who does not know EHLO knows HELO.
    check(&["-f", "EHLO"], &["sent", "sent"]).await;
    check(&["-r", "EHLO"], &[refused]).await;
    check(&["-f", "RSET"], &["sent", "sent"]).await;
}

#[tokio::test]
async fn connections_that_end() {
    for flag in ["-q", "-Q"] {
        for stage in ["MAIL", "RCPT", "DATA"] {
            check(&[flag, stage], &["transient_relay"; 2]).await;
        }
        for stage in ["CONNECT", "EHLO"] {
            check(&[flag, stage], &["refused: transient"]).await;
        }
    }
    check(&["-q", "."], &["unknown"; 2]).await;
    check(&["-Q", "."], &["transient_relay"; 2]).await;
}

#[tokio::test]
async fn a_refusal_in_the_body_that_nobody_reads_on_after() {
    let sink = Sink::builder().flags(["-A", "1"]).start().await.unwrap();
    for code in codes(transport(&sink.url())).await {
        // It closes with a mail unread, so its words can be lost on the way.
        assert!(
            matches!(code.as_str(), "policy_block" | "unknown"),
            "{code}"
        );
    }
}

#[tokio::test]
async fn fewer_offers() {
    for flags in [&["-p"][..], &["-e"], &["-8"], &["-E"], &["-p", "-8", "-E"]] {
        check(flags, &["sent", "sent"]).await;
    }
}

#[tokio::test]
async fn slow_answers() {
    tokio::join!(
        check(&["-w", "1"], &["sent", "sent"]),
        check(&["-H", "1"], &["sent", "sent"]),
        // It answers what it has read already before what it delays, so it is asked one by one.
        check(&["-p", "-W", "MAIL:1"], &["sent", "sent"]),
        check(&["-p", "-W", ".:1"], &["sent", "sent"]),
    );
}

#[tokio::test]
async fn answers_that_are_too_slow() {
    let mut limits = TimeLimits::default();
    let soon = Duration::from_millis(300);
    (limits.command, limits.after_dot, limits.quit) = (soon, soon, soon);
    for (command, expected) in [
        ("MAIL:5", "transient_relay"),
        ("DATA:5", "transient_relay"),
        (".:5", "unknown"),
    ] {
        let sink = Sink::builder().flags(["-p", "-W", command]);
        let sink = sink.start().await.unwrap();
        let impatient = transport(&sink.url()).time_limits(limits.clone());
        assert_eq!(codes(impatient).await, [expected; 2], "{command}");
    }
}
