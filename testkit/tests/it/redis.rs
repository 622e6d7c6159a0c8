//! The launcher of `redis-server`; a missing program is a failure.

use std::path::Path;

use testkit::{Fsync, LaunchError, RedisCluster, RedisSentinel, RedisServer};

#[tokio::test]
async fn acknowledged_writes_survive_a_crash_with_fsync_always() {
    let mut redis = RedisServer::builder()
        .append_only(Fsync::Always)
        .start()
        .await
        .unwrap();
    let url = redis.url();
    assert_eq!(
        redis.command(&["SET", "key", "a\r\nb"]).await.unwrap(),
        "+OK\r\n"
    );
    redis.kill();
    assert!(redis.pid().is_none());
    assert!(redis.command(&["PING"]).await.is_err());
    redis.start().await.unwrap();
    assert_eq!(
        redis.command(&["GET", "key"]).await.unwrap(),
        "$4\r\na\r\nb\r\n"
    );
    assert_eq!(redis.url(), url);
}

#[tokio::test]
async fn an_orderly_stop_keeps_the_file_and_no_file_keeps_nothing() {
    for (mode, kept) in [(Some(Fsync::Never), "$1\r\n1\r\n"), (None, "$-1\r\n")] {
        let mut builder = RedisServer::builder();
        if let Some(mode) = mode {
            builder = builder.append_only(mode);
        }
        let mut redis = builder.start().await.unwrap();
        redis.command(&["SET", "key", "1"]).await.unwrap();
        redis.stop().await;
        redis.start().await.unwrap();
        assert_eq!(
            redis.command(&["GET", "key"]).await.unwrap(),
            kept,
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn dropping_it_kills_it() {
    let redis = RedisServer::builder().start().await.unwrap();
    let process = format!("/proc/{}", redis.pid().unwrap());
    assert!(Path::new(&process).exists());
    drop(redis);
    assert!(!Path::new(&process).exists());
}

#[tokio::test]
async fn a_wrong_flag_is_reported_in_its_own_words() {
    let error = RedisServer::builder()
        .flags(["--no-such-flag", "1"])
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, LaunchError::Died { .. }), "{error}");
    assert!(error.to_string().contains("no-such-flag"), "{error}");
}

#[tokio::test]
async fn a_cluster_deals_its_slots_out() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let mut at_home = 0;
    for node in cluster.nodes() {
        let reply = node.command(&["SET", "{tag}:key", "value"]).await.unwrap();
        assert!(
            reply == "+OK\r\n" || reply.starts_with("-MOVED "),
            "{reply}"
        );
        at_home += usize::from(reply == "+OK\r\n");
    }
    assert_eq!(at_home, 1);
}

#[tokio::test]
async fn sentinels_replace_a_dead_master() {
    let mut redis = RedisSentinel::start(3).await.unwrap();
    assert_eq!(redis.urls().len(), 3);
    let before = redis.master().await.unwrap();
    assert_eq!(before, redis.first().addr().port());
    redis.first().kill();
    redis.fails_over(before).await.unwrap();
    assert_eq!(redis.master().await.unwrap(), redis.second().addr().port());
}
