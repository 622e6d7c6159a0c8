//! A limit by the minute, while the minute turns.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::CampaignState;

use crate::stage::{Stage, dismiss, poll};

#[tokio::test]
async fn no_minute_has_more_than_its_share_and_everything_leaves() {
    let stage = Stage::new().await;
    stage.submit("spring", 90, &["--limit", "60/minute"]).await;
    let workers = vec![stage.start(&["work"]), stage.start(&["work"])];
    assert!(
        poll(75, async || stage.relay.mail_count() >= 90).await,
        "{:?}",
        stage.status("spring").await
    );
    stage.becomes("spring", CampaignState::Completed, 10).await;
    dismiss(workers).await;

    let (reached, mails) = stage.reached();
    assert_eq!((reached.len(), mails), (90, 90));
    let minutes = by_minute(&stage);
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
