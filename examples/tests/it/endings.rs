//! How a run ends, and what it says then.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, TimeDelta, Timelike as _, Utc};
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::CampaignState;
use testkit::{Rule, SmtpServer, Stage};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::program::{Place, ended};

#[tokio::test]
async fn closed_hours_without_waiting_say_when_they_open() {
    let place = Place::new();
    let recipients = place.recipients(5);
    // Hours that have just closed: open again at the same hour of tomorrow.
    let now = SystemClock.now();
    let opens = now - TimeDelta::hours(3);
    let hours = format!(
        "daily {:02}:00-{:02}:00",
        opens.hour(),
        (now - TimeDelta::hours(2)).hour()
    );
    let tomorrow = DateTime::<Utc>::from_naive_utc_and_offset(
        (opens.date_naive() + Days::new(1))
            .and_hms_opt(opens.hour(), 0, 0)
            .unwrap(),
        Utc,
    );
    let args = [
        "run",
        "--recipients",
        &recipients,
        "--hours",
        &hours,
        "--no-wait",
        "--json",
    ];
    let ended = place.run(&args).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let status = ended.status();
    assert_eq!(status.state, CampaignState::Deferred);
    assert_eq!(status.reason_code.as_deref(), Some("outside_hours"));
    assert_eq!(status.next_run_at, Some(tomorrow), "{ended:?}");
    assert_eq!((status.counts.sent, status.counts.total), (0, 5));
    assert!(
        ended.stderr.contains("deferred: outside_hours, next run"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn holidays_and_zones_move_the_next_run() {
    let place = Place::new();
    let recipients = place.recipients(1);
    // Closed today and tomorrow, by the calendar of Moscow.
    let today = (SystemClock.now() + TimeDelta::hours(3)).date_naive();
    let dates = [today, today + Days::new(1)].map(|date| date.to_string());
    let args = [
        "run",
        "--recipients",
        &recipients,
        "--hours",
        "daily 09:00-18:00",
        "--zone",
        "Europe/Moscow",
        "--holiday",
        &dates[0],
        "--holiday",
        &dates[1],
        "--no-wait",
        "--json",
    ];
    let status = place.run(&args).await.status();
    let opens = (today + Days::new(2))
        .and_hms_opt(6, 0, 0)
        .unwrap()
        .and_utc();
    assert_eq!(status.next_run_at, Some(opens));
}

#[tokio::test]
async fn a_limit_without_waiting_leaves_the_rest_for_the_next_window() {
    let place = Place::new();
    let recipients = place.recipients(90);
    let relay = SmtpServer::builder().start().await.unwrap();
    let url = relay.url();
    let args = [
        "run",
        "--recipients",
        &recipients,
        "--smtp",
        &url,
        "--limit",
        "60/day",
        "--no-wait",
        "--json",
    ];
    let ended = place.run(&args).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let status = ended.status();
    assert_eq!(status.reason_code.as_deref(), Some("rate_per_day"));
    assert_eq!((status.counts.sent, status.counts.pending), (60, 30));
    assert_eq!(relay.mail_count(), 60);
    let next = status.next_run_at.unwrap();
    assert_eq!(
        (next.num_seconds_from_midnight(), next.nanosecond()),
        (0, 0)
    );
    assert!(
        ended.stderr.contains("deferred: rate_per_day, next run"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("30 recipients"), "{ended:?}");
}

#[tokio::test]
async fn a_limit_is_waited_for() {
    let place = Place::new();
    let recipients = place.recipients(3);
    let relay = SmtpServer::builder().start().await.unwrap();
    let args = [
        "run",
        "--recipients",
        &recipients,
        "--smtp",
        &relay.url(),
        "--limit",
        "2/2s rolling",
    ];
    let ended = place.run(&args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("3 of 3 sent"), "{ended:?}");
}

#[tokio::test]
async fn a_closed_limit_and_hours_that_never_open() {
    let place = Place::new();
    let recipients = place.recipients(2);
    let run = async |rule: [&str; 2]| {
        let args = [
            "run",
            "--recipients",
            &recipients,
            "--no-wait",
            "--json",
            rule[0],
            rule[1],
        ];
        let ended = place.run(&args).await;
        let reason = ended.status().reason_code.unwrap_or_default();
        (ended.code, reason)
    };
    assert_eq!(
        run(["--limit", "0/hour"]).await,
        (Some(3), "limit_closed".to_owned())
    );
    assert_eq!(
        run(["--hours", "never"]).await,
        (Some(4), "no_opening".to_owned())
    );
}

#[tokio::test]
async fn bad_credentials_halt() {
    let place = Place::new();
    let recipients = place.recipients(3);
    let relay = SmtpServer::builder()
        .auth("user", "right")
        .start()
        .await
        .unwrap();
    let with = |password: &str| format!("smtp://user:{password}@{}", relay.addr());
    let ended = place
        .run(&[
            "run",
            "--recipients",
            &recipients,
            "--smtp",
            &with("wrong"),
            "--json",
        ])
        .await;
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(
        ended.status().reason_code.as_deref(),
        Some("bad_credentials")
    );
    assert!(!format!("{ended:?}").contains("wrong"), "{ended:?}");
    assert_eq!(relay.mail_count(), 0);

    let ended = place
        .run(&["run", "--recipients", &recipients, "--smtp", &with("right")])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!format!("{ended:?}").contains("right"), "{ended:?}");
}

#[tokio::test]
async fn a_refused_address_fails_and_the_campaign_goes_on() {
    let place = Place::new();
    let recipients = place.recipients(4);
    let refuse = Rule::at(Stage::Rcpt)
        .to("user2@example.com")
        .reply(550, "5.1.1 no such user");
    let relay = SmtpServer::builder().rule(refuse).start().await.unwrap();
    let ended = place
        .run(&[
            "run",
            "--recipients",
            &recipients,
            "--smtp",
            &relay.url(),
            "--json",
        ])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let counts = ended.status().counts;
    assert_eq!((counts.sent, counts.failed), (3, 1));
}

#[tokio::test]
async fn a_signal_finishes_what_is_in_flight() {
    let place = Place::new();
    let recipients = place.recipients(500);
    let relay = SmtpServer::builder()
        .latency(std::time::Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let mut child = place.start(&[
        "run",
        "--recipients",
        &recipients,
        "--smtp",
        &relay.url(),
        "--json",
    ]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    relay
        .wait_for_mails(5, std::time::Duration::from_secs(20))
        .await
        .unwrap();
    let pid = child.id().unwrap().to_string();
    let told = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .unwrap();
    assert!(told.success());
    let ended = ended(child).await;
    let mut said = String::new();
    while stderr.read_line(&mut said).await.unwrap() > 0 {}
    assert_eq!(ended.code, Some(3), "{ended:?} {said}");
    let counts = ended.status().counts;
    assert_eq!(counts.sent, relay.mail_count(), "{counts:?}");
    assert_eq!(
        (counts.unknown, counts.in_flight, counts.sum()),
        (0, 0, 500),
        "{counts:?}"
    );
    assert!(counts.sent < 500, "{counts:?}");
    assert!(said.contains("stopping"), "{said}");
    let to: BTreeSet<_> = relay
        .mails()
        .iter()
        .flat_map(|mail| mail.to.clone())
        .collect();
    assert_eq!(to.len() as u64, counts.sent);
}
