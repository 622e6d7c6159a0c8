//! The same campaign again, another one under its name, and one that is over.

use mailer_core::domain::CampaignState;

use crate::stage::Stage;

#[tokio::test]
async fn a_campaign_that_is_submitted_again_is_not_sent_again() {
    let stage = Stage::new().await;
    stage.submit("spring", 5, &[]).await;
    stage.must(&["work", "--until-idle"]).await;
    assert_eq!(stage.relay.mail_count(), 5);

    let submit = ["submit", "--id", "spring", "--recipients", "recipients.csv"];
    let again = stage.must(&submit).await;
    assert!(again.stderr.contains("nothing is sent again"), "{again:?}");
    stage.must(&["work", "--until-idle"]).await;
    assert_eq!(stage.relay.mail_count(), 5);

    stage.place.recipients(6);
    let other = stage.run(&submit).await;
    assert_eq!(other.code, Some(2), "{other:?}");
    let told = "campaign \"spring\" exists already with other recipients: choose another id";
    assert!(other.stderr.contains(told), "{other:?}");
}

#[tokio::test]
async fn a_campaign_that_is_purged_is_not_sent_again_either() {
    let stage = Stage::new().await;
    stage.submit("spring", 5, &[]).await;
    let early = stage.run(&["purge", "spring"]).await;
    assert_eq!(early.code, Some(2), "{early:?}");
    assert!(early.stderr.contains("not finished"), "{early:?}");

    stage.must(&["work", "--until-idle"]).await;
    let purged = stage.must(&["purge", "spring"]).await;
    assert!(purged.stdout.contains("5 of 5 sent"), "{purged:?}");
    assert_eq!(stage.run(&["status", "spring"]).await.code, Some(2));

    stage.submit("spring", 5, &[]).await;
    stage.must(&["work", "--until-idle"]).await;
    assert_eq!(stage.relay.mail_count(), 5);
}

#[tokio::test]
async fn steering_works_from_any_process() {
    let stage = Stage::new().await;
    stage.submit("spring", 5, &[]).await;
    stage.must(&["pause", "spring"]).await;
    stage.must(&["work", "--until-idle"]).await;
    let status = stage.status("spring").await;
    assert_eq!(
        (status.state, status.counts.sent),
        (CampaignState::Paused, 0)
    );
    stage.must(&["resume", "spring"]).await;
    stage.must(&["work", "--until-idle"]).await;
    assert_eq!(stage.status("spring").await.state, CampaignState::Completed);
    let late = stage.run(&["cancel", "spring"]).await;
    assert_eq!(late.code, Some(2), "{late:?}");
    let listed = stage.must(&["list"]).await;
    assert!(
        listed.stdout.contains("spring: completed, 5 of 5 sent"),
        "{listed:?}"
    );
    let watched = stage.must(&["status", "spring", "--watch"]).await;
    assert!(watched.stdout.contains("completed"), "{watched:?}");
}
