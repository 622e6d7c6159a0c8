//! How often a mail waits for the way to the relay and back.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::conformance::transport::Rig;
use mailer_smtp::{SmtpTransport, TimeLimits};
use testkit::{FaultProxy, Rule, SmtpServer, Stage};

const MAILS: u64 = 8;
/// `EHLO` and `QUIT`.
const OF_THE_CONNECTION: u64 = 2;

/// The round trips of one connection that carries them all.
async fn round_trips(server: &SmtpServer, overlap: bool) -> u64 {
    let network = FaultProxy::start(server.addr()).await.unwrap();
    // So that a mail which waits in vain fails the test, and does not keep it for ten minutes.
    let mut limits = TimeLimits::default();
    limits.after_dot = Duration::from_secs(10);
    let transport = SmtpTransport::builder(&format!("smtp://{}", network.addr()))
        .connections(1)
        .overlap(overlap)
        .time_limits(limits)
        .build()
        .unwrap();
    let names = (0..MAILS).map(|i| format!("r{i}"));
    let delivered = Rig::new(Arc::new(transport)).deliver(names).await;
    assert_eq!(delivered.count("sent") as u64, MAILS, "{delivered:?}");
    assert_eq!(network.accepted(), 1);
    network.round_trips()
}

#[tokio::test]
async fn a_mail_behind_another_takes_one() {
    // The relay has no verdict before the next envelope has come: whoever waits for it never gets one.
    let slow = Rule::at(Stage::Dot).first(MAILS - 1).hear_more();
    let server = SmtpServer::builder().rule(slow).start().await.unwrap();
    // Nothing can hide the envelope of the first.
    let first = 1;
    let taken = round_trips(&server, true).await;
    assert_eq!(taken, OF_THE_CONNECTION + first + MAILS);
}

#[tokio::test]
async fn a_mail_that_waits_for_the_verdict_before_it_takes_two() {
    let server = SmtpServer::builder().start().await.unwrap();
    let taken = round_trips(&server, false).await;
    assert_eq!(taken, OF_THE_CONNECTION + 2 * MAILS);
}

#[tokio::test]
async fn without_pipelining_it_takes_four() {
    let server = SmtpServer::builder().without("PIPELINING");
    let server = server.start().await.unwrap();
    let taken = round_trips(&server, true).await;
    assert_eq!(taken, OF_THE_CONNECTION + 4 * MAILS);
}
