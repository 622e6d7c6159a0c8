//! Tasks that are aborted: `serve` and `connect` are dropped at every await point at which they wait.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::conformance::transport::{Delivered, Rig, polled_at_most};
use mailer_core::domain::Outcome;
use mailer_core::transport::Transport;
use mailer_smtp::{SmtpTransport, SmtpTransportBuilder};
use testkit::{Certificate, Rule, SmtpServer, SmtpServerBuilder, Stage};

use crate::support::transport;

const MAILS: [&str; 4] = ["one", "two", "three", "four"];
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any session of these tests is polled.
const MOST_POLLS: usize = 400;

/// Every reply lets its client wait, and each mail has a verdict of its own.
fn slow() -> SmtpServerBuilder {
    let verdict = |name: &str| {
        let at = Rule::at(Stage::Dot).to(&format!("{name}@example.com"));
        at.reply(250, &format!("2.0.0 {name}"))
    };
    SmtpServer::builder()
        .latency(Duration::from_millis(1))
        .rules(MAILS.map(verdict))
        .rule(verdict("after"))
}

#[tokio::test]
async fn a_session_dropped_anywhere_leaves_nothing_wrong() {
    for (without, overlap, fewest) in [
        ("NONE", true, 4),
        ("NONE", false, 8),
        ("PIPELINING", false, 16),
    ] {
        let server = slow().without(without).start().await.unwrap();
        let transport = transport(&server).overlap(overlap).build().unwrap();
        let mut doubts = 0;
        for polls in 0..MOST_POLLS {
            server.forget();
            let rig = Rig::new(Arc::new(transport.clone())).small();
            let delivered = rig.cut_off_after(polls).deliver(MAILS).await;
            server.wait_until_idle(PATIENCE).await.unwrap();
            judge(&server, &delivered);
            doubts += delivered.count("unknown");
            assert_next_mail_has_its_own_reply(&transport).await;
            if !delivered.is_cut_off {
                assert_eq!(delivered.count("sent"), MAILS.len());
                assert!(polls >= fewest && doubts >= fewest, "{polls} {doubts}");
                break;
            }
        }
        assert_cap_holds(&transport).await;
    }
}

/// Holds every mail to what the server has.
fn judge(server: &SmtpServer, delivered: &Delivered) {
    assert_eq!(delivered.outcomes.len(), MAILS.len(), "{delivered:?}");
    let (mails, lines) = (server.mails(), server.command_lines());
    for (name, outcome) in &delivered.outcomes {
        let address = format!("{name}@example.com");
        let taken = mails.iter().filter(|mail| mail.to == [address.as_str()]);
        let begun = lines.iter().any(|line| line.contains(&address));
        match (outcome, taken.count(), begun) {
            (Outcome::Sent { reply }, 1, _) => assert_eq!(reply, &format!("250 2.0.0 {name}")),
            (Outcome::Unknown { .. }, 0 | 1, _) | (Outcome::NotStarted, 0, false) => {}
            wrong => panic!("{name} {wrong:?}: {delivered:?}"),
        }
    }
    // The one in hand, and the one behind it.
    assert!(delivered.count("sent") + 2 >= MAILS.len(), "{delivered:?}");
}

async fn assert_next_mail_has_its_own_reply(transport: &SmtpTransport) {
    let rig = Rig::new(Arc::new(transport.clone())).small();
    let delivered = rig.deliver(["after"]).await;
    let reply = "250 2.0.0 after".to_owned();
    assert_eq!(
        delivered.outcomes,
        [("after".to_owned(), Outcome::Sent { reply })],
        "{delivered:?}"
    );
}

/// There is room for as many connections as before, and for no more.
async fn assert_cap_holds(transport: &SmtpTransport) {
    let mut open = Vec::new();
    for _ in 0..transport.max_connections() {
        open.push(transport.connect().await.unwrap());
    }
    assert_no_place_is_free(transport).await;
}

async fn assert_no_place_is_free(transport: &SmtpTransport) {
    tokio::select! {
        one_more = transport.connect() => panic!("{one_more:?}"),
        () = SystemClock.sleep(Duration::from_millis(50)) => {}
    }
}

#[tokio::test]
async fn a_large_mail_dropped_between_two_pieces_is_in_doubt() {
    let server = slow().start().await.unwrap();
    let transport = transport(&server).build().unwrap();
    let rig = Rig::new(Arc::new(transport.clone())).large();
    for polls in [2, 3, 4, 6, 10] {
        server.forget();
        let delivered = rig.clone().cut_off_after(polls).deliver(["one"]).await;
        assert!(delivered.is_cut_off, "{polls}");
        assert_eq!(delivered.codes(), ["unknown"], "{polls}");
        server.wait_until_idle(PATIENCE).await.unwrap();
        assert!(server.mails().is_empty(), "{polls}");
        assert_next_mail_has_its_own_reply(&transport).await;
    }
    assert_cap_holds(&transport).await;
}

#[tokio::test]
async fn a_connect_dropped_anywhere_leaves_its_place_free() {
    let encrypted = Certificate::for_names(&["127.0.0.1"]).unwrap();
    for builder in [slow(), slow().starttls(encrypted)] {
        let server = builder.auth("u", "p").start().await.unwrap();
        let transport = with_login(&server).build().unwrap();
        for polls in 0..MOST_POLLS {
            let connected = polled_at_most(polls, transport.connect()).await;
            let is_cut_off = connected.is_none();
            drop(connected);
            // It is there at once: nobody has to wait for the place.
            match transport.connect().await {
                Ok(session) => drop(session),
                Err(error) => panic!("{polls}: {error}"),
            }
            if !is_cut_off {
                assert!(polls >= 5, "{polls}");
                break;
            }
        }
        assert_cap_holds(&transport).await;
    }
}

fn with_login(server: &SmtpServer) -> SmtpTransportBuilder {
    let mut url = server.url().replace("://", "://u:p@");
    let authority = server.ca_pem();
    if authority.is_some() {
        url.push_str("?tls=required");
    }
    let builder = SmtpTransport::builder(&url).connections(2);
    match authority {
        Some(authority) => builder.trust_pem(authority),
        None => builder,
    }
}

#[tokio::test]
async fn a_connect_that_waits_for_a_place_can_be_dropped() {
    let server = slow().start().await.unwrap();
    let transport = transport(&server).build().unwrap();
    let session = transport.connect().await.unwrap();
    assert_no_place_is_free(&transport).await;
    drop(session);
    assert!(transport.connect().await.is_ok());
}
