//! The commands that need a store that processes share, on one that this process shares with itself.

use clap::Parser as _;
use mailer_core::domain::{CampaignState, Policy};
use mailer_core::memory::MemoryStore;
use mailer_core::{ErrorKind, Mailer};
use testkit::SmtpServer;

use super::{ask, steer, submit, work};
use crate::args::{Args, Options};
use crate::ending::Ending;
use crate::failure::Failure;

fn options(args: &[&str]) -> Options {
    let program = ["campaign"].iter();
    Args::try_parse_from(program.chain(args)).unwrap().options
}

async fn submitted(args: &[&str]) -> (Mailer, Options) {
    let mailer = Mailer::open(MemoryStore::new()).await.unwrap();
    let options = options(args);
    let ending = submit::submit(&mailer, &options).await.unwrap();
    assert_eq!(ending, Ending::Done);
    (mailer, options)
}

#[tokio::test]
async fn a_submitted_campaign_is_listed_and_sent_by_a_worker() {
    let relay = SmtpServer::builder().start().await.unwrap();
    let (mailer, options) = submitted(&["--smtp", &relay.url(), "--id", "spring"]).await;
    submit::submit(&mailer, &options).await.unwrap();
    let all = mailer.list().await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(ask::list(&mailer, &options).await.unwrap(), Ending::Done);

    let ending = work::work(&mailer, &options, true).await.unwrap();
    assert_eq!(ending, Ending::Done);
    let ending = ask::status(&mailer, &options, &options.id, true).await;
    assert_eq!(ending.unwrap(), Ending::Done);
    assert_eq!(relay.mail_count(), 1000);
}

#[tokio::test]
async fn a_campaign_is_paused_resumed_and_cancelled() {
    let (mailer, options) = submitted(&[]).await;
    let state = async || mailer.status(&options.id).await.unwrap().state;
    steer::pause(&mailer, &options, &options.id).await.unwrap();
    assert_eq!(state().await, CampaignState::Paused);
    steer::resume(&mailer, &options, &options.id).await.unwrap();
    assert_eq!(state().await, CampaignState::Deferred);
    steer::cancel(&mailer, &options, &options.id).await.unwrap();
    let ending = ask::status(&mailer, &options, &options.id, true).await;
    assert_eq!(ending.unwrap(), Ending::Cancelled);

    let unknown = "autumn".parse().unwrap();
    let failure = steer::pause(&mailer, &options, &unknown).await.unwrap_err();
    assert_eq!(failure.ending(), Ending::BadInput);
    assert!(failure.to_string().contains("autumn"), "{failure}");
}

#[tokio::test]
async fn an_id_with_other_content_is_refused() {
    let (mailer, _) = submitted(&[]).await;
    let other = options(&["--subject", "Autumn"]);
    let failure = submit::submit(&mailer, &other).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Mailer(error) if error.kind() == ErrorKind::Conflict),
        "{failure}"
    );
    assert_eq!(failure.ending(), Ending::BadInput);
}

#[tokio::test]
async fn options_change_their_part_of_the_policy_and_leave_the_rest() {
    let (mailer, _) = submitted(&["--id", "a"]).await;
    let policy = async || mailer.policy().await.unwrap().unwrap();
    assert_eq!(
        (policy().await.version, policy().await.policy),
        (1, Policy::unlimited())
    );

    let submit = async |args: &[&str]| submit::submit(&mailer, &options(args)).await.unwrap();
    submit(&["--id", "b", "--limit", "100/hour", "--limit", "14/s pace"]).await;
    submit(&[
        "--id",
        "c",
        "--hours",
        "Mon-Fri 09:00-18:00",
        "--zone",
        "Europe/Moscow",
    ])
    .await;
    let expected = Policy::new()
        .limit("100/hour")
        .and_then(|policy| policy.limit("14/s pace"))
        .and_then(|policy| policy.hours("Mon-Fri 09:00-18:00", "Europe/Moscow"));
    assert_eq!(policy().await.policy, expected.unwrap());
    submit(&["--id", "d", "--limit", "none"]).await;
    assert!(policy().await.policy.limits().is_empty());
    submit(&["--id", "e"]).await;
    assert_eq!(policy().await.version, 4);

    let options = options(&["--json"]);
    assert_eq!(ask::policy(&mailer, &options).await.unwrap(), Ending::Done);
    assert_eq!(steer::clear_policy(&mailer).await.unwrap(), Ending::Done);
    assert_eq!(mailer.policy().await.unwrap(), None);
    assert_eq!(ask::policy(&mailer, &options).await.unwrap(), Ending::Done);
}
