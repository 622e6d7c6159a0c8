//! A test mail asked for by one process and sent by another.

use mailer_core::clock::{Clock as _, SystemClock};

use crate::stage::{Stage, dismiss, poll, with_room};

#[tokio::test]
async fn with_the_limit_used_up_it_is_deferred_and_leaves_when_the_window_turns() {
    let stage = Stage::new().await;
    with_room(60, 15).await;
    stage.submit("spring", 20, &["--limit", "5/minute"]).await;
    let worker = stage.start(&["work"]);
    stage.is_deferred("spring", "rate_per_minute").await;

    let turns = SystemClock.now().timestamp().div_euclid(60) * 60 + 60;
    let turns = chrono::DateTime::from_timestamp(turns, 0).unwrap();
    let ended = stage.run(&["test", "--to", "me@example.com"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let told = format!(
        "deferred: rate_per_minute, next run {}",
        turns.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    );
    assert!(ended.stdout.contains(&told), "{told}: {ended:?}");
    assert_eq!(stage.relay.mail_count(), 5);

    let arrived = poll(75, async || stage.reached().0.contains("me@example.com"));
    assert!(arrived.await, "{:?}", stage.status("spring").await);
    assert!(SystemClock.now() >= turns);
    dismiss(vec![worker]).await;
}

#[tokio::test]
async fn with_a_reserved_share_it_leaves_while_bulk_waits() {
    let stage = Stage::new().await;
    with_room(3_600, 30).await;
    let limit = ["--limit", "20/hour", "--reserved", "5"];
    stage.submit("spring", 50, &limit).await;
    let worker = stage.start(&["work"]);
    stage.is_deferred("spring", "rate_per_hour").await;
    assert_eq!(stage.relay.mail_count(), 19);

    let ended = stage.must(&["test", "--to", "me@example.com"]).await;
    assert!(
        ended.stdout.contains("test mail to me@example.com: sent"),
        "{ended:?}"
    );
    assert_eq!(stage.relay.mail_count(), 20);
    let second = stage.run(&["test", "--to", "you@example.com"]).await;
    assert_eq!(second.code, Some(3), "{second:?}");
    dismiss(vec![worker]).await;
}

#[tokio::test]
async fn without_a_worker_it_says_so_and_waits() {
    let stage = Stage::new().await;
    let ended = stage.run(&["test", "--to", "me@example.com"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.contains("deferred: no_worker"), "{ended:?}");
    stage.must(&["work", "--until-idle"]).await;
    assert_eq!(stage.relay.mails()[0].to, ["me@example.com"]);
}
