//! `campaign test`: what became of one mail.

use testkit::{Rule, SmtpServer, Stage};

use crate::program::Place;

#[tokio::test]
async fn a_test_mail_is_sent_with_the_fields_of_the_first_row() {
    let place = Place::new();
    let relay = SmtpServer::builder().start().await.unwrap();
    let args = ["test", "--to", "me@example.com", "--smtp", &relay.url()];
    let ended = place.run(&args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("test mail to me@example.com: sent"),
        "{ended:?}"
    );
    let mails = relay.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["me@example.com"]);
    assert!(mails[0].text().contains("Ann Abel"), "{}", mails[0].text());
}

#[tokio::test]
async fn a_test_mail_is_counted_by_the_limit() {
    let place = Place::new();
    let ended = place
        .run(&["test", "--to", "me@example.com", "--limit", "0/hour"])
        .await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.contains("deferred: limit_closed"), "{ended:?}");
}

#[tokio::test]
async fn hours_do_not_bind_a_test_mail() {
    let place = Place::new();
    let ended = place
        .run(&["test", "--to", "me@example.com", "--hours", "never"])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn bad_credentials_and_refusals_have_codes_of_their_own() {
    let place = Place::new();
    let test = async |url: &str| {
        place
            .run(&["test", "--to", "me@example.com", "--smtp", url])
            .await
    };

    let guarded = SmtpServer::builder()
        .auth("user", "right")
        .start()
        .await
        .unwrap();
    let ended = test(&format!("smtp://user:wrong@{}", guarded.addr())).await;
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stdout.contains("bad_credentials"), "{ended:?}");
    assert!(!format!("{ended:?}").contains("wrong"), "{ended:?}");

    let unknown = Rule::at(Stage::Rcpt).reply(550, "5.1.1 no such user");
    let relay = SmtpServer::builder().rule(unknown).start().await.unwrap();
    let ended = test(&relay.url()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("no such user"), "{ended:?}");
}

#[tokio::test]
async fn a_dead_relay_defers_and_says_until_when() {
    let place = Place::new();
    let mut relay = SmtpServer::builder().start().await.unwrap();
    relay.stop().await;
    let args = ["test", "--to", "me@example.com", "--smtp", &relay.url()];
    let ended = place.run(&args).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stdout.contains("deferred: transient_error, next run"),
        "{ended:?}"
    );
}
