//! A relay that goes away in the middle, and comes back.

use std::collections::BTreeMap;
use std::time::Duration;

use mailer_core::domain::CampaignState;
use testkit::SmtpServer;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::program::{Place, ended};

#[tokio::test]
async fn a_relay_that_is_stopped_and_started_again_gets_each_recipient_once() {
    let place = Place::new();
    let recipients = place.recipients(300);
    let mut relay = SmtpServer::builder()
        .latency(Duration::from_millis(5))
        .start()
        .await
        .unwrap();
    let url = relay.url();
    let args = [
        "run",
        "--recipients",
        &recipients,
        "--smtp",
        &url,
        "--transient-delay",
        "1s",
        "--json",
    ];
    let mut child = place.start(&args);
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    relay
        .wait_for_mails(20, Duration::from_secs(20))
        .await
        .unwrap();
    relay.stop().await;
    let mut said = Vec::new();
    while let Some(line) = stderr.next_line().await.unwrap() {
        said.push(line);
        if said
            .iter()
            .any(|line| line.contains("deferred: transient_error, next run"))
        {
            break;
        }
    }
    assert!(
        relay.mail_count() < 300,
        "it was stopped too late to show anything"
    );
    relay.start().await.unwrap();
    let rest = tokio::spawn(async move {
        while let Ok(Some(line)) = stderr.next_line().await {
            said.push(line);
        }
        said
    });
    let ended = ended(child).await;
    let said = rest.await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?} {said:?}");
    let status = ended.status();
    assert_eq!(status.state, CampaignState::Completed);
    assert_eq!(
        status.counts.sent + status.counts.unknown,
        300,
        "{status:?}"
    );

    let mut times = BTreeMap::new();
    for mail in relay.mails() {
        for to in mail.to {
            *times.entry(to).or_insert(0) += 1;
        }
    }
    assert!(times.values().all(|&times| times == 1), "{times:?}");
    assert!(times.len() as u64 >= status.counts.sent, "{status:?}");
}
