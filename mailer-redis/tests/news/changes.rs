//! What another process can do that a sleeping worker must hear of.

use std::time::Duration;

use mailer_core::domain::{
    CampaignId, ClaimId, Lanes, Policy, Reason, Recipient, RelayName, Scope, WorkerId,
};
use mailer_core::queue::{
    ClaimReply, ClaimRequest, Defer, DeferQueue, Resolution, Room, Settled, Settlement, Wait,
};
use mailer_core::template::Template;
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;

use super::scene::{NAMESPACE, Scene, campaign, listens_and_sleeps, open};

async fn scene() -> (RedisServer, Scene) {
    let server = RedisServer::builder().start().await.unwrap();
    let scene = Scene::at(&server).await;
    listens_and_sleeps(&server).await;
    (server, scene)
}

fn ann() -> [Recipient; 1] {
    [Recipient::new("ann@example.com")]
}

#[tokio::test]
async fn a_test_mail_is_sent_at_once() {
    let (server, scene) = scene().await;
    for to in ["ann@example.com", "bob@example.com"] {
        scene.test_mail(to).await;
        listens_and_sleeps(&server).await;
    }
}

#[tokio::test]
async fn a_campaign_is_begun_at_once() {
    let (_server, scene) = scene().await;
    scene.host.submit(&campaign("c"), ann()).await.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

#[tokio::test]
async fn what_another_worker_gives_back_is_sent_at_once() {
    let server = RedisServer::builder().start().await.unwrap();
    let config = RedisConfig::new(server.url(), NAMESPACE);
    let host = open(&config).await;
    host.init_policy(&Policy::unlimited()).await.unwrap();
    host.submit(&campaign("c"), ann()).await.unwrap();
    let other = RedisStore::open(&config).await.unwrap();
    let request = ClaimRequest {
        id: ClaimId {
            worker: WorkerId(9),
            number: 1,
        },
        room: Room {
            relays: [(RelayName::DEFAULT.parse().unwrap(), Lanes::ALL)].into(),
            composers: vec![Template::COMPOSER.to_owned()],
            except: Default::default(),
        },
    };
    let ClaimReply::Claimed(claim) = other.claim(&request).await.unwrap() else {
        panic!("a mail waits");
    };

    let scene = Scene::at(&server).await;
    listens_and_sleeps(&server).await;
    let back = Settlement {
        claim: claim.id,
        index: 0,
        settled: Settled::NotStarted,
        detail: String::new(),
    };
    other.settle(&[back], &[]).await.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

#[tokio::test]
async fn a_limit_that_is_raised_lets_the_next_mail_go_at_once() {
    let (server, scene) = scene().await;
    let policy = |spec| Policy::new().limit(spec).unwrap();
    let set = scene.host.set_policy(&policy("0/day"), None).await;
    set.unwrap();
    scene.host.submit(&campaign("c"), ann()).await.unwrap();
    listens_and_sleeps(&server).await;
    let set = scene.host.set_policy(&policy("1/day"), None).await;
    set.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

#[tokio::test]
async fn a_first_policy_lets_what_waits_for_it_go_at_once() {
    let (server, scene) = scene().await;
    scene.host.clear_policy().await.unwrap();
    scene.host.submit(&campaign("c"), ann()).await.unwrap();
    listens_and_sleeps(&server).await;
    let set = scene.host.init_policy(&Policy::unlimited()).await;
    set.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

#[tokio::test]
async fn a_campaign_that_is_resumed_goes_on_at_once() {
    let (server, scene) = scene().await;
    let id: CampaignId = "c".parse().unwrap();
    let waits = wait(Scope::Campaign(id.to_string()));
    scene.host.defer(&waits).await.unwrap();
    scene.host.submit(&campaign("c"), ann()).await.unwrap();
    scene.host.pause(&id, "Eve", "a typo").await.unwrap();
    listens_and_sleeps(&server).await;
    scene.host.resume(&id).await.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

#[tokio::test]
async fn a_scope_whose_wait_is_ended_goes_on_at_once() {
    let (server, scene) = scene().await;
    scene.host.defer(&wait(Scope::Namespace)).await.unwrap();
    scene.host.submit(&campaign("c"), ann()).await.unwrap();
    listens_and_sleeps(&server).await;
    scene.host.resume_scope(&Scope::Namespace).await.unwrap();
    assert_eq!(scene.sent().await, "ann@example.com");
}

fn wait(scope: Scope) -> Defer {
    Defer {
        scope,
        lane: None,
        reason: Reason::TransientError,
        wait: Wait::For(Duration::from_secs(3_600)),
        detail: None,
        unless_sent_since: None,
        policy_version: None,
    }
}

#[tokio::test]
async fn a_mail_that_is_to_be_sent_again_is_sent_at_once() {
    let (server, scene) = scene().await;
    let nobody = "nobody@example.com";
    let recipients = [Recipient::new(nobody)];
    let submitted = scene.host.submit(&campaign("c"), recipients).await.unwrap();
    assert_eq!(scene.sent().await, nobody);
    listens_and_sleeps(&server).await;
    let (host, again) = (&scene.host, Resolution::Resend);
    assert!(host.resolve(&submitted.id, nobody, again).await.unwrap());
    assert_eq!(scene.sent().await, nobody);
}
