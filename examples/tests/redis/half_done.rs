//! Commands that do not come to their end, and commands that come in the middle of others.

use std::time::Duration;

use mailer_core::domain::CampaignState;
use testkit::SmtpServer;

use crate::stage::{Stage, dismiss, poll};

#[tokio::test]
async fn a_submit_that_is_killed_sends_nothing_and_is_finished_by_the_next() {
    let stage = Stage::new().await;
    let many = 60_000;
    let file = stage.place.recipients(many);
    let submit = ["submit", "--id", "spring", "--recipients", &file];
    let mut killed = stage.start(&submit);
    let is_draft = poll(30, async || {
        let listed = stage.must(&["list", "--json"]).await;
        listed.stdout.contains("\"draft\"")
    });
    assert!(is_draft.await);
    killed.kill().await.unwrap();
    let status = stage.status("spring").await;
    assert_eq!(
        status.state,
        CampaignState::Draft,
        "it was too quick to be killed"
    );
    stage.must(&["work", "--until-idle"]).await;
    assert_eq!(stage.relay.mail_count(), 0);

    let busy = stage.run(&submit).await;
    assert_eq!(busy.code, Some(2), "{busy:?}");
    assert!(
        busy.stderr.contains("being loaded by another process"),
        "{busy:?}"
    );
    // Who was killed keeps others out for a minute.
    let submitted = poll(80, async || stage.run(&submit).await.code == Some(0));
    assert!(submitted.await, "{:?}", stage.run(&submit).await);
    let counts = stage.status("spring").await.counts;
    assert_eq!((counts.total, counts.pending), (60_000, 60_000));
}

#[tokio::test]
async fn nothing_begins_after_a_pause_or_a_cancel_from_another_process() {
    for verb in ["pause", "cancel"] {
        let relay = SmtpServer::builder().latency(Duration::from_millis(20));
        let stage = Stage::with_relay(relay.start().await.unwrap()).await;
        stage.submit("spring", 2_000, &[]).await;
        let work = ["work", "--connections", "2"];
        let workers = vec![stage.start(&work), stage.start(&work)];
        assert!(poll(20, async || stage.relay.mail_count() >= 20).await);

        stage.must(&[verb, "spring"]).await;
        let at_once = stage.relay.mail_count();
        let is_quiet = poll(10, async || {
            stage.status("spring").await.counts.in_flight == 0
        });
        assert!(is_quiet.await);
        dismiss(workers).await;
        // What had begun on the four connections, on each one mail behind another, came to its end.
        let mails = stage.relay.mail_count();
        assert!(
            mails <= at_once + 8,
            "{mails} mails, {at_once} at the {verb}"
        );
        let counts = stage.status("spring").await.counts;
        assert_eq!((counts.sent, counts.unknown), (mails, 0), "{counts:?}");
    }
}

#[tokio::test]
async fn run_submits_and_works_in_one_process_beside_others() {
    let stage = Stage::new().await;
    stage.submit("spring", 50, &[]).await;
    let file = stage.place.recipients(60);
    let run = ["run", "--id", "summer", "--recipients", &file, "--json"];
    let ended = stage.must(&run).await;
    assert_eq!(ended.status().counts.sent, 60);
    stage.must(&["work", "--until-idle"]).await;
    stage.is_completed("spring").await;
    assert_eq!(stage.relay.mail_count(), 110);
}
