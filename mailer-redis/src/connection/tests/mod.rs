//! The link against real servers that fail.
//!
//! No bound is asserted tighter than it is promised, plus what a busy machine may add.

#![expect(
    clippy::print_stdout,
    reason = "what an operator would read, and how long it took, is worth a look at every run"
)]

mod cluster;
mod config;
mod login;
mod network;
mod outage;
mod refusal;
mod sentinel;
mod server;

use std::time::Duration;

use futures_util::StreamExt as _;
use mailer_core::clock::{Clock, SystemClock};
use mailer_core::{Error, ErrorKind};
use redis::{Script, Value};

use super::{Durability, Link, RedisConfig};

/// What a busy machine may add to any bound.
const SLACK: Duration = Duration::from_millis(700);
const COMMAND: Duration = Duration::from_millis(300);
/// The bound of one call of a [`quick`] configuration.
const CALL: Duration = Duration::from_millis(900);

/// Short waits, and no demands.
fn quick(url: impl Into<String>) -> RedisConfig {
    shortened(RedisConfig::new(url, "test"))
}

fn shortened(config: RedisConfig) -> RedisConfig {
    config
        .connect(Duration::from_millis(300))
        .command(COMMAND)
        .wait(Duration::from_millis(600))
        .durability(Durability::Unchecked)
}

/// Runs a script that counts how often it ran.
async fn count(link: &Link) -> Result<i64, Error> {
    let source = "return redis.call('INCR', KEYS[1] .. ':count')";
    match script(link, source).await? {
        Value::Int(count) => Ok(count),
        other => panic!("{other:?}"),
    }
}

async fn script(link: &Link, source: &str) -> Result<Value, Error> {
    let compiled = Script::new(source);
    link.invoke("count", "COUNT", &compiled.key("{test}")).await
}

/// Subscribes, and hears what a script publishes: one that writes, as a replica refuses it.
async fn hears(link: &Link) {
    let news = link.listen("news", "{test}:news", "{test}:count").await;
    let source = "redis.call('INCR', KEYS[1] .. ':count') \
        return redis.call('PUBLISH', KEYS[1] .. ':news', '')";
    script(link, source).await.unwrap();
    let mut news = news.unwrap();
    tokio::select! {
        heard = news.next() => assert_eq!(heard.unwrap().get_channel_name(), "{test}:news"),
        () = SystemClock.sleep(CALL + SLACK) => panic!("nothing is heard"),
    }
}

/// How it ended, and that it did so within the bound.
async fn within<T>(bound: Duration, call: impl Future<Output = T>) -> T {
    let started = SystemClock.monotonic();
    let done = call.await;
    let took = SystemClock.monotonic() - started;
    assert!(took < bound + SLACK, "{took:?} is more than {bound:?}");
    done
}

/// Calls until one succeeds, each within its bound and failing as an outage; how long it took.
async fn recovers(link: &Link, limit: Duration) -> Duration {
    let started = SystemClock.monotonic();
    loop {
        let outcome = within(CALL, count(link)).await;
        let took = SystemClock.monotonic() - started;
        match outcome {
            Ok(_) => return took,
            Err(error) => is_outage(&error),
        }
        assert!(took < limit, "not recovered after {took:?}");
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
}

fn is_outage(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.retry_after().is_some(), "{error}");
}

/// Whether all these words are in the text.
fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    println!("{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}
