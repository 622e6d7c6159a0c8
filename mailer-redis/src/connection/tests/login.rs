//! Users, passwords, rights, encryption.

use testkit::{Certificate, RedisServer};

use super::*;

/// A launcher that asks without a password takes the refusal for silence, so the password comes later.
async fn with_password() -> (RedisServer, String) {
    let server = RedisServer::builder().start().await.unwrap();
    let set = ["CONFIG", "SET", "requirepass", "open-sesame"];
    server.command(&set).await.unwrap();
    let url = format!("redis://:open-sesame@{}", server.addr());
    (server, url)
}

#[tokio::test]
async fn the_right_password_opens() {
    let (_server, url) = with_password().await;
    let link = Link::open(&quick(url)).await.unwrap();
    assert_eq!(count(&link).await.unwrap(), 1);
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_invalid_and_is_not_shown() {
    let (server, _) = with_password().await;
    for login in [":guess@", "me:guess@", ""] {
        let url = format!("redis://{login}{}", server.addr());
        let error = Link::open(&quick(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert_eq!(error.faults()[0].field(), "url");
        says(&error, &["password", &server.addr().to_string()]);
        assert!(!error.to_string().contains("guess"), "{error}");
        assert!(!format!("{error:?}").contains("guess"), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_without_a_right_is_invalid_and_without_info_a_warning() {
    let server = RedisServer::builder().start().await.unwrap();
    let user = "ACL SETUSER clerk on >secret ~{test}* +@all -info -script -evalsha";
    let words: Vec<_> = user.split(' ').collect();
    server.command(&words).await.unwrap();
    let url = format!("redis://clerk:secret@{}", server.addr());
    let link = Link::open(&quick(url)).await.unwrap();
    let warning = &link.report().warnings()[0];
    println!("{warning}");
    assert!(warning.contains("unknown") && warning.contains("NOPERM"));
    let error = count(&link).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["clerk:***@", "grant it", "evalsha"]);
}

#[tokio::test]
async fn a_password_that_changes_later_is_an_outage() {
    let (server, url) = with_password().await;
    let link = Link::open(&quick(url)).await.unwrap();
    count(&link).await.unwrap();
    let (addr, config) = (server.addr(), |password: &str| {
        format!("CONFIG SET requirepass {password}")
    });
    let admin = quick(format!("redis://:open-sesame@{addr}")).connections(1);
    let admin = Link::open(&admin).await.unwrap();
    let run = async |words: String| {
        let mut command = redis::Cmd::new();
        command.arg(words.split(' ').collect::<Vec<_>>());
        admin.command("admin", &command).await.unwrap();
    };
    run(config("other")).await;
    let kill = "CLIENT KILL TYPE normal SKIPME yes".to_owned();
    run(kill).await;
    let mut refused = None;
    for _ in 0..4 {
        if let Err(error) = within(CALL, count(&link)).await {
            refused = Some(error);
        }
    }
    let error = refused.unwrap();
    is_outage(&error);
    says(&error, &["took before"]);
}

#[tokio::test]
async fn tls_trusts_the_authority_it_is_given_and_no_other() {
    let certificate = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let server = RedisServer::builder()
        .tls(&certificate)
        .start()
        .await
        .unwrap();
    let config = quick(server.tls_url().unwrap()).root_certificates(certificate.ca_pem());
    let link = Link::open(&config).await.unwrap();
    assert_eq!(count(&link).await.unwrap(), 1);

    // The authorities of the system do not know it.
    let error = Link::open(&quick(server.tls_url().unwrap())).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);

    let stranger = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let config = quick(server.tls_url().unwrap()).root_certificates(stranger.ca_pem());
    let error = within(CALL, Link::open(&config)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    says(&error, &["cannot be trusted", "certificate"]);
}
