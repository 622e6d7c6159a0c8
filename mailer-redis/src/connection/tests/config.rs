//! What cannot be right.

use super::*;

async fn faults(config: RedisConfig) -> Error {
    let error = Link::open(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    println!("{error}");
    error
}

#[tokio::test]
async fn every_illegal_value_is_named_with_its_rule() {
    let config = RedisConfig::new("http://me:pa55@host/", "a {b}")
        .connect(Duration::ZERO)
        .command(Duration::ZERO)
        .wait(Duration::ZERO)
        .connections(0);
    let error = faults(config).await;
    let fields: Vec<_> = error.faults().iter().map(|fault| fault.field()).collect();
    let all = [
        "namespace",
        "url",
        "connect",
        "command",
        "wait",
        "connections",
    ];
    assert_eq!(fields, all);
    says(
        &error,
        &[
            "\"a {b}\"",
            "A-Z a-z 0-9",
            "http://me:***@host/",
            "redis://[user:",
        ],
    );
    assert!(!error.to_string().contains("pa55"));
}

#[tokio::test]
async fn urls_that_cannot_be_read_are_named_without_their_password() {
    for url in [
        "",
        "localhost",
        "redis://",
        "redis://h:99999/",
        "redis://u:p@55@[h",
        "redis://h/x",
    ] {
        let error = faults(RedisConfig::new(url, "test")).await;
        assert_eq!(error.faults()[0].field(), "url", "{url}");
        assert!(!error.to_string().contains("p@55"), "{url}");
    }
}

#[tokio::test]
async fn clusters_and_sentinels_need_urls_that_fit() {
    let none: [&str; 0] = [];
    faults(RedisConfig::cluster(none, "test")).await;
    faults(RedisConfig::cluster(["redis://h/3"], "test")).await;
    faults(RedisConfig::sentinel(none, "m", "test")).await;
    faults(RedisConfig::sentinel(["redis://h"], "", "test")).await;
    let both = RedisConfig::sentinel(["nonsense", "redis://h", "http://h"], "m", "test");
    assert_eq!(faults(both).await.faults().len(), 2);
}

#[tokio::test]
async fn certificates_must_be_certificates() {
    let pem = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----";
    let config = RedisConfig::new("rediss://h", "test").root_certificates(pem);
    assert_eq!(
        faults(config).await.faults()[0].field(),
        "root_certificates"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_outage() {
    let error = within(CALL, Link::open(&quick("redis://127.0.0.1:1")))
        .await
        .unwrap_err();
    is_outage(&error);
    says(
        &error,
        &["connect: redis at 127.0.0.1:1 cannot be reached", "refused"],
    );
    let error = within(CALL, Link::open(&quick("redis://no-such-host.invalid")))
        .await
        .unwrap_err();
    is_outage(&error);
    says(&error, &["no-such-host.invalid"]);
}

#[test]
fn debug_shows_no_password() {
    let config =
        RedisConfig::sentinel(["redis://u:hunter2@h"], "m", "test").sentinel_login("u", "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}
