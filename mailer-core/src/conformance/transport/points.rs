use std::sync::Arc;
use std::time::Duration;

use super::{Fault, Relay, Rig};
use crate::clock::{Clock, SystemClock};

/// How long a relay may be silent before its transport gives up, in these tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn rig(relay: &dyn Relay) -> Rig {
    Rig::new(relay.transport())
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("r{i}")).collect()
}

/// Every mail arrives once, and says so. Needs [`Fault::None`].
pub async fn delivers_each_mail_once(relay: &dyn Relay) {
    let names = names(40);
    let delivered = rig(relay).deliver(names.clone()).await;
    assert_eq!(delivered.count("sent"), 40, "{delivered:?}");
    let mut arrived = relay.mails();
    arrived.sort();
    let mut expected: Vec<String> = names
        .iter()
        .map(|name| format!("{name}@example.com"))
        .collect();
    expected.sort();
    assert_eq!(arrived, expected);
}

/// At no time are there more connections than allowed. Needs [`Fault::None`].
pub async fn connection_cap_holds(relay: &dyn Relay) {
    let most = relay.transport().max_connections();
    let delivered = rig(relay).deliver(names(200)).await;
    assert_eq!(delivered.count("sent"), 200, "{delivered:?}");
    assert!(
        relay.peak() <= most,
        "{} connections at a time",
        relay.peak()
    );
}

/// One refused recipient neither fails the others nor costs them a connection. Needs [`Fault::RefusesRecipient`] of
/// `bad@example.com`.
pub async fn refused_recipient_leaves_the_connection_usable(relay: &dyn Relay) {
    let delivered = rig(relay)
        .deliver(["a", "b", "c", "bad", "d", "e", "f", "g"])
        .await;
    assert_eq!(delivered.count("permanent_recipient"), 1, "{delivered:?}");
    assert_eq!(delivered.count("sent"), 7, "{delivered:?}");
    assert_eq!(relay.mails().len(), 7);
    assert!(relay.connections() <= relay.transport().max_connections());
}

/// A refusal after the final dot is a clear answer, and the connection stays. Needs [`Fault::RefusesMessage`] of
/// `bad@example.com`.
pub async fn refused_message_is_not_sent(relay: &dyn Relay) {
    let delivered = rig(relay)
        .deliver(["a", "b", "c", "bad", "d", "e", "f", "g"])
        .await;
    assert_eq!(delivered.count("policy_block"), 1, "{delivered:?}");
    assert_eq!(delivered.count("sent"), 7, "{delivered:?}");
    assert!(relay.connections() <= relay.transport().max_connections());
}

/// A permit that is late is not used, and costs nothing. Needs [`Fault::None`].
pub async fn late_permit_is_not_started(relay: &dyn Relay) {
    let delivered = rig(relay).late_to_begin().deliver(names(5)).await;
    assert_eq!(delivered.codes(), ["not_started"; 5], "{delivered:?}");
    assert_eq!(relay.begun(), 0);
}

/// When the time for the final dot is over, it is not written. Needs [`Fault::None`].
pub async fn past_dot_by_never_finishes(relay: &dyn Relay) {
    let delivered = rig(relay)
        .finish_within(Duration::ZERO)
        .deliver(names(3))
        .await;
    assert_eq!(delivered.codes(), ["transient_relay"; 3], "{delivered:?}");
    assert_eq!(relay.mails(), Vec::<String>::new());
}

/// The end of the stream after the dot leaves it unknown whether the mail was sent, and it is not sent again. Needs
/// [`Fault::ClosesAfterDot`].
pub async fn eof_after_dot_is_unknown(relay: &dyn Relay) {
    let delivered = rig(relay).deliver(["only"]).await;
    assert_eq!(delivered.codes(), ["unknown"], "{delivered:?}");
    assert_eq!(relay.mails().len(), 1);
}

/// The end of the stream before the dot leaves nothing in doubt.
pub async fn eof_before_dot_is_transient(relay: &dyn Relay) {
    let delivered = rig(relay).deliver(["only"]).await;
    assert_eq!(delivered.codes(), ["transient_relay"], "{delivered:?}");
    assert_eq!(relay.mails(), Vec::<String>::new());
}

/// The same in the middle of a mail that is too large to be on its way as a whole. Needs [`Fault::BreaksInBody`].
///
/// A small mail may have left with its dot before the relay breaks the connection, and then it is unknown.
pub async fn break_within_a_large_body_is_transient(relay: &dyn Relay) {
    let delivered = rig(relay).large().deliver(["only"]).await;
    assert_eq!(delivered.codes(), ["transient_relay"], "{delivered:?}");
    assert_eq!(relay.mails(), Vec::<String>::new());
}

/// A kept connection that the relay has closed is no fault of the next mail: it goes out on a fresh one. Needs
/// [`Fault::ClosesKept`].
pub async fn closed_kept_connection_is_replaced(relay: &dyn Relay) {
    let delivered = rig(relay).deliver(names(30)).await;
    assert_eq!(delivered.count("sent"), 30, "{delivered:?}");
    assert_eq!(relay.mails().len(), 30);
}

/// Connecting to a relay that says nothing ends, without a mail in doubt. Needs [`Fault::NoGreeting`].
pub async fn silence_of_a_new_connection_is_bounded(relay: &dyn Relay) {
    let delivered = within_patience(rig(relay).deliver(["only"])).await;
    assert_eq!(delivered.codes(), Vec::<&str>::new());
    assert_eq!(delivered.refused.len(), 1, "{delivered:?}");
}

/// Waiting for the answer to a final dot ends, and the mail is unknown. Needs [`Fault::NoVerdict`].
pub async fn silence_after_the_dot_is_bounded(relay: &dyn Relay) {
    let delivered = within_patience(rig(relay).deliver(["only"])).await;
    assert_eq!(delivered.codes(), ["unknown"], "{delivered:?}");
}

/// A `connect` that is dropped leaves nothing open, and takes no connection from those to come. Needs
/// [`Fault::NoGreeting`].
pub async fn dropped_connect_leaves_nothing_open(relay: &dyn Relay) {
    let transport = relay.transport();
    for _ in 0..transport.max_connections() * 2 {
        let connecting = {
            let transport = Arc::clone(&transport);
            tokio::spawn(async move { transport.connect().await.map(drop) })
        };
        SystemClock.sleep(Duration::from_millis(20)).await;
        connecting.abort();
        // Either it was stopped, or it had ended by itself.
        let _ = connecting.await;
    }
    assert!(
        relay.peak() <= transport.max_connections(),
        "{} connections at a time",
        relay.peak()
    );
}

async fn within_patience<F: Future>(future: F) -> F::Output {
    tokio::select! {
        output = future => output,
        () = SystemClock.sleep(PATIENCE) => panic!("no end within {PATIENCE:?}"),
    }
}

/// The fault that the point of this name needs.
#[doc(hidden)]
#[must_use]
pub fn fault_of(point: &str) -> Fault {
    match point {
        "refused_recipient_leaves_the_connection_usable" => {
            Fault::RefusesRecipient("bad@example.com")
        }
        "refused_message_is_not_sent" => Fault::RefusesMessage("bad@example.com"),
        "eof_after_dot_is_unknown" => Fault::ClosesAfterDot,
        "eof_before_dot_is_transient" => Fault::ClosesBeforeBody,
        "break_within_a_large_body_is_transient" => Fault::BreaksInBody,
        "closed_kept_connection_is_replaced" => Fault::ClosesKept,
        "silence_of_a_new_connection_is_bounded" | "dropped_connect_leaves_nothing_open" => {
            Fault::NoGreeting
        }
        "silence_after_the_dot_is_bounded" => Fault::NoVerdict,
        _ => Fault::None,
    }
}
