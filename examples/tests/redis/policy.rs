//! A policy that changes while workers wait or send.

use std::time::Duration;

use mailer_core::clock::{Clock as _, SystemClock};
use testkit::SmtpServer;

use crate::stage::{Stage, dismiss, poll, with_room};

#[tokio::test]
async fn a_raised_limit_wakes_workers_that_sleep() {
    with_room(3_600, 45).await;
    let stage = Stage::new().await;
    stage.submit("spring", 30, &["--limit", "10/hour"]).await;
    let workers = (0..3).map(|_| stage.start(&["work"])).collect();
    stage.is_deferred("spring", "rate_per_hour").await;
    assert_eq!(stage.relay.mail_count(), 10);

    stage.must(&["policy", "set", "--limit", "25/hour"]).await;
    let set_at = SystemClock.monotonic();
    assert!(poll(5, async || stage.relay.mail_count() > 10).await);
    let took = SystemClock.monotonic() - set_at;
    println!("the first mail came {took:?} after the command");
    assert!(poll(20, async || stage.relay.mail_count() >= 25).await);
    let status = stage.is_deferred("spring", "rate_per_hour").await;
    assert_eq!((status.counts.sent, stage.relay.mail_count()), (25, 25));
    dismiss(workers).await;
}

#[tokio::test]
async fn a_lowered_limit_binds_the_next_mail() {
    with_room(3_600, 45).await;
    let relay = SmtpServer::builder().latency(Duration::from_millis(20));
    let stage = Stage::with_relay(relay.start().await.unwrap()).await;
    stage
        .submit("spring", 2_000, &["--limit", "10000/hour"])
        .await;
    let work = ["work", "--connections", "2"];
    let workers = vec![stage.start(&work), stage.start(&work)];
    assert!(poll(20, async || stage.relay.mail_count() >= 20).await);

    stage.must(&["policy", "set", "--limit", "20/hour"]).await;
    let at_once = stage.relay.mail_count();
    stage.is_deferred("spring", "rate_per_hour").await;
    dismiss(workers).await;
    // What had begun on the four connections, on each one mail behind another, came to its end.
    let mails = stage.relay.mail_count();
    assert!(
        mails <= at_once + 8,
        "{mails} mails, {at_once} when it was set"
    );
    assert_eq!(stage.status("spring").await.counts.sent, mails);
}

#[tokio::test]
async fn processes_that_set_parts_of_it_at_the_same_time_lose_nothing() {
    let stage = Stage::new().await;
    let hours = "Mon-Fri 09:00-18:00";
    let set = async |option: &str, value: &str| {
        stage.must(&["policy", "set", option, value]).await;
    };
    tokio::join!(
        set("--limit", "7/hour"),
        set("--hours", hours),
        set("--reserved", "9"),
    );
    let shown = stage.must(&["policy", "show"]).await.stdout;
    for part in ["7/hour", "09:00-18:00", "9 %"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
