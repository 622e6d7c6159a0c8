//! 150 recipients, 100 an hour, and more workers than one: exactly 100 in the hour.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Timelike as _, Utc};
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::CampaignState;
use mailer_redis::redis;
use tokio::process::Child;

use crate::stage::{NAMESPACE, Stage, dismiss, with_room};

#[tokio::test]
async fn two_workers_send_exactly_100_in_the_hour() {
    send_exactly_100(2, |stage, _| stage.start(&["work"])).await;
}

#[tokio::test]
async fn twenty_workers_send_exactly_100_in_the_hour() {
    send_exactly_100(20, |stage, _| stage.start(&["work"])).await;
}

/// Only the clock that shows the time of day is set wrong: nothing can set the other one.
#[tokio::test]
async fn workers_whose_clocks_are_an_hour_wrong_change_nothing() {
    send_exactly_100(3, |stage, number| {
        let shift = ["+1h", "-1h", "+61m"][number];
        let campaign = env!("CARGO_BIN_EXE_campaign");
        let args = [
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "faketime",
            "-f",
            shift,
            campaign,
        ];
        stage.start_program("env", &args, &["work"])
    })
    .await;
}

async fn send_exactly_100(workers: usize, start: impl Fn(&Stage, usize) -> Child) {
    with_room(3_600, 45).await;
    let next_hour = next_hour(SystemClock.now());
    let stage = Stage::new().await;
    stage.submit("spring", 150, &["--limit", "100/hour"]).await;
    let samples = Samples::start(&stage).await;
    let workers: Vec<Child> = (0..workers).map(|number| start(&stage, number)).collect();

    let status = stage.becomes("spring", CampaignState::Deferred, 40).await;
    // Whoever is still busy with a mail finishes it now.
    let told = dismiss(workers).await;
    let (seen, highest) = samples.end().await;

    assert_eq!(status.reason_code.as_deref(), Some("rate_per_hour"));
    assert_eq!(status.next_run_at, Some(next_hour), "{status:?}");
    let status = stage.status("spring").await;
    assert_eq!(
        (status.counts.sent, status.counts.pending),
        (100, 50),
        "{status:?} {told:?}"
    );
    let (reached, mails) = stage.reached();
    assert_eq!((reached.len(), mails), (100, 100));
    assert_eq!(highest, 100, "of {seen} samples");
    assert!(seen > 100, "{seen} samples show nothing");
}

fn next_hour(now: DateTime<Utc>) -> DateTime<Utc> {
    let hour = now.date_naive().and_hms_opt(now.hour(), 0, 0).unwrap();
    hour.and_utc() + chrono::TimeDelta::hours(1)
}

/// Reads the hour's counter as fast as it can.
struct Samples {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<(u64, u64)>,
}

impl Samples {
    async fn start(stage: &Stage) -> Self {
        let client = redis::Client::open(stage.redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let label = SystemClock.now().format("%Y-%m-%d:%H");
        let key = format!("{{{NAMESPACE}}}:rate:hour:{label}");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let (mut seen, mut highest) = (0, 0);
            while !stopped.load(Ordering::Relaxed) {
                let value: Option<u64> = redis::cmd("GET")
                    .arg(&key)
                    .query_async(&mut connection)
                    .await
                    .unwrap();
                seen += 1;
                highest = highest.max(value.unwrap_or(0));
            }
            (seen, highest)
        });
        Self { stop, task }
    }

    /// How many samples there were, and the highest.
    async fn end(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}
