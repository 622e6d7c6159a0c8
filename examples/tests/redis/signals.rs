//! A worker that is asked to end.

use std::time::Duration;

use mailer_core::clock::{Clock as _, SystemClock};
use testkit::{Rule, SmtpServer, Stage as At};

use crate::program::ended;
use crate::stage::{Stage, poll, signal};

#[tokio::test]
async fn a_worker_that_is_asked_to_end_leaves_nothing_in_doubt() {
    for name in ["-TERM", "-INT"] {
        let relay = SmtpServer::builder().latency(Duration::from_millis(20));
        let stage = Stage::with_relay(relay.start().await.unwrap()).await;
        stage.submit("spring", 400, &[]).await;
        let worker = stage.start(&["work"]);
        assert!(poll(20, async || stage.relay.mail_count() >= 20).await);

        signal(&worker, name);
        let asked_at = SystemClock.monotonic();
        let told = ended(worker).await;
        let took = SystemClock.monotonic() - asked_at;
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(told.stdout.contains(" 0 in doubt"), "{told:?}");
        assert!(took < Duration::from_secs(25), "{took:?}");
        let counts = stage.status("spring").await.counts;
        assert_eq!(counts.sent, stage.relay.mail_count(), "{counts:?}");
        assert_eq!((counts.in_flight, counts.unknown), (0, 0), "{counts:?}");
        assert!(counts.sent < 400, "{counts:?}");

        // Nothing has to be waited for: what was not begun was given back.
        stage.must(&["work", "--until-idle"]).await;
        stage.is_completed("spring").await;
        let (reached, mails) = stage.reached();
        assert_eq!((reached.len(), mails), (400, 400));
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let stall = Rule::at(At::Dot).stall();
    let relay = SmtpServer::builder().rule(stall).start().await.unwrap();
    let stage = Stage::with_relay(relay).await;
    stage.submit("spring", 3, &[]).await;
    let worker = stage.start(&["work"]);
    assert!(
        poll(20, async || stage.status("spring").await.counts.in_flight
            == 3)
        .await
    );
    signal(&worker, "-TERM");
    // It may take the first for the second, if both come before it has looked.
    let listed = stage.must(&["list"]).await;
    assert!(listed.stdout.contains("3 in flight"), "{listed:?}");
    signal(&worker, "-TERM");
    let told = ended(worker).await;
    assert_eq!(told.code, Some(130), "{told:?}");
    assert!(told.stderr.contains("stopped at once"), "{told:?}");
}

#[tokio::test]
async fn a_worker_that_is_asked_to_end_while_redis_is_away_ends_all_the_same() {
    let relay = SmtpServer::builder().latency(Duration::from_millis(20));
    let mut stage = Stage::with_relay(relay.start().await.unwrap()).await;
    stage.submit("spring", 400, &[]).await;
    let worker = stage.start(&["work"]);
    assert!(poll(20, async || stage.relay.mail_count() >= 20).await);
    stage.redis.kill();
    let asked_at = SystemClock.monotonic();
    signal(&worker, "-TERM");
    let told = ended(worker).await;
    let took = SystemClock.monotonic() - asked_at;
    // 25 s to drain, 5 s to tell the ledger, 1 s to say goodbye.
    assert!(took < Duration::from_secs(33), "{took:?}");
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.stdout.contains("could not be told to the store"),
        "{told:?}"
    );
    assert!(told.stderr.contains("store: "), "{told:?}");
}

#[tokio::test]
async fn a_worker_ends_when_the_store_has_lost_what_it_had_confirmed() {
    let relay = SmtpServer::builder().latency(Duration::from_millis(20));
    let stage = Stage::with_relay(relay.start().await.unwrap()).await;
    stage.submit("spring", 2_000, &[]).await;
    let workers = [stage.start(&["work"]), stage.start(&["work"])];
    assert!(poll(20, async || stage.relay.mail_count() >= 20).await);
    stage.redis.command(&["FLUSHALL"]).await.unwrap();
    let at_once = stage.relay.mail_count();
    for worker in workers {
        let told = ended(worker).await;
        assert_eq!(told.code, Some(4), "{told:?}");
        assert!(told.stdout.contains("store_rolled_back"), "{told:?}");
    }
    // What had begun on the sixteen connections, on each one mail behind another, came to its end.
    let mails = stage.relay.mail_count();
    assert!(mails <= at_once + 32, "{mails} mails, {at_once} before");
}
