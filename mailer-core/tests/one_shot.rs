//! A function as a transport.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use mailer_core::clock::{Clock, SystemClock};
use mailer_core::conformance::transport::Rig;
use mailer_core::domain::{Content, Email, Outcome, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::template::Template;
use mailer_core::transport::{OneShot, Transport};
use mailer_core::{Mailer, Worker};

/// Who got a mail.
type Seen = Arc<Mutex<Vec<String>>>;

fn sent() -> Outcome {
    Outcome::Sent {
        reply: "202 accepted".to_owned(),
    }
}

/// Answers by the name before the @.
fn service(seen: &Seen) -> OneShot {
    let seen = Arc::clone(seen);
    OneShot::new(move |email: Email| {
        let seen = Arc::clone(&seen);
        async move {
            let name = email.to.address().local().to_owned();
            seen.lock().unwrap().push(name.clone());
            let reply = "words".to_owned();
            match name.as_str() {
                "nobody" => Outcome::PermanentRecipient { reply },
                "later" => Outcome::TransientRelay { reply },
                "hangs" => pending().await,
                "panics" => panic!("the library has a fault"),
                _ => sent(),
            }
        }
    })
}

fn rig(transport: OneShot) -> Rig {
    Rig::new(Arc::new(transport))
}

#[tokio::test]
async fn its_word_is_the_outcome_and_what_it_does_not_say_is_unknown() {
    let seen = Seen::default();
    let transport = service(&seen)
        .connections(1)
        .time_limit(Duration::from_millis(100));
    let names = ["ann", "nobody", "panics", "later", "hangs"];
    let delivered = rig(transport.clone()).deliver(names).await;
    assert_eq!(
        delivered.codes(),
        [
            "sent",
            "permanent_recipient",
            "unknown",
            "transient_relay",
            "unknown"
        ],
        "{delivered:?}"
    );
    assert_eq!(*seen.lock().unwrap(), names);
    // The call that hangs is not dropped, and keeps its place: there is no other.
    assert!(transport.clone().connect().now_or_never().is_none());
}

#[tokio::test]
async fn late_permits_are_not_used() {
    let seen = Seen::default();
    let late = rig(service(&seen)).late_to_begin().deliver(["ann"]).await;
    assert_eq!(late.codes(), ["not_started"]);
    let late = rig(service(&seen))
        .finish_within(Duration::ZERO)
        .deliver(["ann"])
        .await;
    assert_eq!(late.codes(), ["transient_relay"]);
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_more_are_under_way_than_allowed() {
    let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, seen) = (Arc::clone(&now), Arc::clone(&peak));
    let transport = OneShot::new(move |_email| {
        let (now, peak) = (Arc::clone(&counted), Arc::clone(&seen));
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            SystemClock.sleep(Duration::from_millis(2)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            sent()
        }
    });
    let names = (0..60).map(|n| format!("r{n}"));
    let delivered = rig(transport.connections(3)).deliver(names).await;
    assert_eq!(delivered.count("sent"), 60);
    assert_eq!(peak.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn limits_hold_for_it_as_for_any_transport() {
    let seen = Seen::default();
    let mailer = Mailer::open(MemoryStore::new()).await.unwrap();
    // A month, so that the test does not run into the next window.
    let policy = Policy::new().limit("2/month").unwrap();
    mailer.init_policy(&policy).await.unwrap();
    let content = Content::new()
        .from("news@shop.example")
        .template(Template::new("Hello").text("Hi"));
    for name in ["ann", "bob", "cy", "dan"] {
        let recipient = Recipient::new(format!("{name}@example.com"));
        mailer.enqueue_test(&content, recipient).await.unwrap();
    }
    let worker = Worker::builder(&mailer)
        .relay("default", service(&seen))
        .build()
        .unwrap();
    worker.run_until_idle().await;
    assert_eq!(seen.lock().unwrap().len(), 2);
}
