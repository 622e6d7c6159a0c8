//! 150 recipients, 100 an hour, and more workers than one: exactly 100 in the hour.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use chrono::{DateTime, Timelike as _, Utc};
use mailer_core::clock::{Clock as _, SystemClock};
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

/// Only the time of day is wrong: nobody can set the clock that tokio sleeps by.
#[tokio::test]
async fn workers_whose_clocks_are_an_hour_wrong_change_nothing() {
    let wrong = |shift: &str| {
        [
            // The loader puts the right folder for $LIB; the program `faketime` would stand between us and the worker.
            "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1".to_owned(),
            format!("FAKETIME={shift}"),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        ]
    };
    let shifts = ["+1h", "-1h", "+61m"];
    for (shift, seconds) in shifts.iter().zip([3_600, -3_600, 3_660]) {
        let shown = std::process::Command::new("env")
            .args(wrong(shift))
            .args(["date", "+%s"])
            .output();
        let shown = String::from_utf8(shown.unwrap().stdout).unwrap();
        let shown: i64 = shown.trim().parse().unwrap();
        let off = shown - SystemClock.now().timestamp();
        assert!(
            (off - seconds).abs() < 5,
            "libfaketime is not in effect: {off} s"
        );
    }
    send_exactly_100(3, |stage, number| {
        let environment = wrong(shifts[number]);
        let mut before: Vec<&str> = environment.iter().map(String::as_str).collect();
        before.push(env!("CARGO_BIN_EXE_campaign"));
        stage.start_program("env", &before, &["work"])
    })
    .await;
}

async fn send_exactly_100(workers: usize, start: impl Fn(&Stage, usize) -> Child) {
    with_room(3_600, 45).await;
    let next_hour = next_hour(SystemClock.now());
    let stage = Stage::new().await;
    stage.submit("spring", 150, &["--limit", "100/hour"]).await;
    let samples = Samples::start(&stage);
    let workers: Vec<Child> = (0..workers).map(|number| start(&stage, number)).collect();

    let status = stage.is_deferred("spring", "rate_per_hour").await;
    // Whoever is still busy with a mail finishes it now.
    let told = dismiss(workers).await;
    let (seen, highest) = samples.end();

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
    println!("exactly 100 in the hour; {seen} samples of its counter, the highest {highest}");
}

fn next_hour(now: DateTime<Utc>) -> DateTime<Utc> {
    let hour = now.date_naive().and_hms_opt(now.hour(), 0, 0).unwrap();
    hour.and_utc() + chrono::TimeDelta::hours(1)
}

/// Reads the hour's counter as fast as it can, from a thread that nothing else slows down.
struct Samples {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u64, u64)>,
}

impl Samples {
    fn start(stage: &Stage) -> Self {
        let client = redis::Client::open(stage.redis.url()).unwrap();
        let mut connection = client.get_connection().unwrap();
        let label = SystemClock.now().format("%Y-%m-%d:%H");
        let key = format!("{{{NAMESPACE}}}:rate:hour:{label}");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut seen, mut highest) = (0, 0);
            while !stopped.load(Ordering::Relaxed) {
                let value: Option<u64> =
                    redis::cmd("GET").arg(&key).query(&mut connection).unwrap();
                seen += 1;
                highest = highest.max(value.unwrap_or(0));
            }
            (seen, highest)
        });
        Self { stop, thread }
    }

    /// How many samples there were, and the highest.
    fn end(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
