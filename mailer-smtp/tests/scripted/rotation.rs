//! How long a connection is used.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::conformance::transport::Rig;
use mailer_core::domain::{Content, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::observer::Event;
use mailer_core::sim::{Trace, Traced};
use mailer_core::template::Template;
use mailer_core::{Mailer, Worker};
use testkit::{Rule, Stage};

use crate::support::{deliver, server, transport};

fn many(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("r{i}")).collect()
}

#[tokio::test]
async fn connections_are_kept_and_replaced_after_so_many_mails_or_refusals() {
    let names = many(100);
    let well = server([]).await;
    let transport_of_30 = transport(&well)
        .messages_per_connection(30)
        .build()
        .unwrap();
    Rig::new(Arc::new(transport_of_30))
        .deliver(names.clone())
        .await;
    assert_eq!((well.mails().len(), well.connections().len()), (100, 4));
    assert_eq!(well.connections_peak(), 1);

    let refusing = server([Rule::at(Stage::Rcpt).reply(550, "5.1.1 no such user")]).await;
    let transport = transport(&refusing).build().unwrap();
    let delivered = Rig::new(Arc::new(transport)).deliver(names).await;
    assert_eq!(delivered.count("permanent_recipient"), 100);
    assert_eq!(refusing.connections().len(), 10);
    let lines = refusing.command_lines();
    let count = |command: &str| lines.iter().filter(|line| *line == command).count();
    assert_eq!(count("QUIT"), 10);
    // Only the first on a connection came with a DATA, which is an error of its own.
    assert_eq!(count("DATA"), 10);
}

#[tokio::test]
async fn refusals_between_mails_that_are_taken_do_not_add_up() {
    let every_other = (0..100).step_by(2).map(|i| {
        Rule::at(Stage::Rcpt)
            .to(&format!("r{i}@example.com"))
            .reply(550, "5.1.1 no such user")
    });
    let server = server(every_other).await;
    let transport = transport(&server).build().unwrap();
    Rig::new(Arc::new(transport)).deliver(many(100)).await;
    assert_eq!((server.mails().len(), server.connections().len()), (50, 1));
}

#[tokio::test]
async fn an_old_connection_is_replaced_between_mails() {
    for overlap in [true, false] {
        let slow = Rule::at(Stage::Dot).delay(Duration::from_millis(50));
        let server = server([slow]).await;
        let transport = transport(&server)
            .connection_age(Duration::from_millis(120))
            .overlap(overlap);
        let names = many(12);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let delivered = deliver(transport, &names).await;
        assert_eq!(delivered.codes(), ["sent"; 12], "{delivered:?}");
        // A mail takes 50 ms, so at most 3 begin on a connection, and one more behind the last of them.
        let connections = server.connections().len();
        assert!((3..=12).contains(&connections), "{connections}");
        assert_eq!(server.connections_peak(), 1);
        let lines = server.command_lines();
        let farewells = lines.iter().filter(|line| *line == "QUIT").count();
        assert_eq!(farewells, connections);
    }
}

#[tokio::test]
async fn a_connection_grows_old_while_it_waits_for_work() {
    let server = server([]).await;
    let mailer = Mailer::open(MemoryStore::new()).await.unwrap();
    mailer.init_policy(&Policy::unlimited()).await.unwrap();
    let transport = transport(&server).connection_age(Duration::from_millis(300));
    let worker = Worker::builder(&mailer)
        .relay("default", transport.build().unwrap())
        .build()
        .unwrap();
    let content = Content::new()
        .from("news@shop.example")
        .template(Template::new("Hello").text("Hi"));
    let ann = Recipient::new("ann@example.com");
    mailer.enqueue_test(&content, ann).await.unwrap();
    // An idle connection would be kept for a minute.
    let closed = async {
        for _ in 0..500 {
            let connections = server.connections();
            if connections.iter().any(|one| one.closed_at.is_some()) {
                return;
            }
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
        panic!("it is still open: {:?}", server.connections());
    };
    worker.run(closed).await;
    assert_eq!(server.mails().len(), 1);
    assert_eq!(server.connections().len(), 1);
}

#[tokio::test]
async fn idle_connections_may_be_closed_soon() {
    let server = server([]).await;
    let mailer = Mailer::open(MemoryStore::new()).await.unwrap();
    // One every 750 ms: the worker waits that out with the mails in hand, and opens a connection for them.
    let policy = Policy::new().limit("80/minute pace").unwrap();
    mailer.init_policy(&policy).await.unwrap();
    let transport = transport(&server).idle_timeout(Duration::from_millis(100));
    let trace = Trace::default();
    let worker = Worker::builder(&mailer)
        .relay("default", transport.build().unwrap())
        .observer(trace.clone())
        .build()
        .unwrap();
    let content = Content::new()
        .from("news@shop.example")
        .template(Template::new("Hello").text("Hi"));
    for name in many(3) {
        let recipient = Recipient::new(format!("{name}@example.com"));
        mailer.enqueue_test(&content, recipient).await.unwrap();
    }
    worker.run_until_idle().await;
    let events = trace.events();
    assert_eq!(server.mails().len(), 3, "{events:?}");
    assert!(server.connections().len() > 3, "they were replaced");
    let is_trouble = |traced: &&Traced| matches!(traced.event, Event::ConnectFailed { .. });
    assert_eq!(events.iter().find(is_trouble), None);
}
