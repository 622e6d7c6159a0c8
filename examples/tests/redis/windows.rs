//! A limit by the minute, while the minute turns.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mailer_core::clock::{Clock as _, SystemClock};

use crate::stage::{Stage, dismiss, poll};

/// Ninety seconds of it; `scripts/scenario-4 --minutes` asks for six minutes, and twenty workers.
#[tokio::test]
async fn no_minute_has_more_than_its_share_and_everything_leaves() {
    match std::env::var_os("SCENARIO_4_LONG") {
        Some(_) => send_60_a_minute(330, 20).await,
        None => send_60_a_minute(90, 2).await,
    }
}

async fn send_60_a_minute(recipients: usize, workers: usize) {
    let stage = Stage::new().await;
    stage
        .submit("spring", recipients, &["--limit", "60/minute"])
        .await;
    let workers = (0..workers).map(|_| stage.start(&["work"])).collect();
    let minutes = recipients as u64 / 60;
    assert!(
        poll(60 * minutes + 20, async || stage.relay.mail_count()
            >= recipients as u64)
        .await,
        "{:?}",
        stage.status("spring").await
    );
    stage.is_completed("spring").await;
    dismiss(workers).await;

    let (reached, mails) = stage.reached();
    assert_eq!((reached.len(), mails), (recipients, recipients as u64));
    let minutes = by_minute(&stage);
    println!(
        "mails by the minute: {:?}",
        minutes.values().collect::<Vec<_>>()
    );
    assert!(minutes.values().all(|&mails| mails <= 60), "{minutes:?}");
}

/// By the relay's clock: when it read the final dots.
fn by_minute(stage: &Stage) -> BTreeMap<DateTime<Utc>, usize> {
    let now = SystemClock.now();
    let mut minutes = BTreeMap::new();
    for mail in stage.relay.mails() {
        let at = now - mail.at.elapsed();
        let minute = at.timestamp().div_euclid(60) * 60;
        let minute = DateTime::from_timestamp(minute, 0).unwrap();
        *minutes.entry(minute).or_insert(0) += 1;
    }
    minutes
}
