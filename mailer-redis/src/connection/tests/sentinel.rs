//! A master behind sentinels.

use std::time::Duration;

use testkit::{Certificate, RedisSentinel};

use super::*;

fn config(redis: &RedisSentinel) -> RedisConfig {
    shortened(RedisConfig::sentinel(redis.urls(), redis.name(), "test")).connections(2)
}

#[tokio::test]
async fn calls_follow_the_master_when_it_steps_down_and_when_it_dies() {
    let mut redis = RedisSentinel::start(1).await.unwrap();
    let link = Link::open(&config(&redis)).await.unwrap();
    count(&link).await.unwrap();
    count(&link).await.unwrap();

    // The old master lives on as a replica: its connections answer, but refuse every change.
    redis.switch().await.unwrap();
    let took = recovers(&link, Duration::from_secs(10)).await;
    println!("after a switch: {took:?}");
    for _ in 0..4 {
        recovers(&link, Duration::from_secs(2)).await;
    }

    let before = redis.master().await.unwrap();
    assert_eq!(before, redis.second().addr().port());
    // Without a replica that follows, the sentinels have nobody to promote.
    redis.is_followed().await.unwrap();
    redis.second().kill();
    let took = recovers(&link, Duration::from_secs(20)).await;
    println!("after a crash: {took:?}");
    assert_ne!(redis.master().await.unwrap(), before);
}

#[tokio::test]
async fn calls_and_news_follow_the_master_over_tls() {
    let certificate = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let redis = RedisSentinel::start_with_tls(1, &certificate)
        .await
        .unwrap();
    let urls = redis.tls_urls();
    let config = || shortened(RedisConfig::sentinel(urls.clone(), redis.name(), "test"));
    let trusting = config().root_certificates(certificate.ca_pem());
    let link = Link::open(&trusting).await.unwrap();
    count(&link).await.unwrap();
    hears(&link).await;
    redis.switch().await.unwrap();
    // Until then the old master takes calls that come on old connections, and what it publishes is lost with the rest.
    redis.is_followed().await.unwrap();
    recovers(&link, Duration::from_secs(10)).await;
    hears(&link).await;

    let error = within(CALL, Link::open(&config())).await.unwrap_err();
    says(&error, &["certificate"]);
}

#[tokio::test]
async fn one_sentinel_that_answers_is_enough() {
    let redis = RedisSentinel::start(1).await.unwrap();
    let mut urls = vec!["redis://127.0.0.1:1".to_owned()];
    urls.extend(redis.urls());
    let config = shortened(RedisConfig::sentinel(urls, redis.name(), "test"));
    let link = within(CALL, Link::open(&config)).await.unwrap();
    assert_eq!(count(&link).await.unwrap(), 1);
}

#[tokio::test]
async fn a_master_that_no_sentinel_knows_is_invalid() {
    let redis = RedisSentinel::start(1).await.unwrap();
    let config = shortened(RedisConfig::sentinel(redis.urls(), "nobody", "test"));
    let error = within(CALL, Link::open(&config)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["\"nobody\"", "is unknown to them"]);
}

#[tokio::test]
async fn sentinels_that_are_not_there_are_an_outage() {
    let urls = ["redis://127.0.0.1:1", "redis://127.0.0.1:2"];
    let config = shortened(RedisConfig::sentinel(urls, "m", "test"));
    let error = within(CALL, Link::open(&config)).await.unwrap_err();
    is_outage(&error);
    says(&error, &["\"m\"", "127.0.0.1:1, 127.0.0.1:2"]);
}
