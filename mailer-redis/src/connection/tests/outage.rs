//! Servers that stop, start, hang and forget.

use std::time::Duration;

use futures_util::future::join_all;
use mailer_core::clock::{Clock, SystemClock};
use testkit::{Fsync, RedisServer};

use super::*;

#[tokio::test]
async fn a_stopped_server_is_an_outage_until_it_runs_again() {
    let mut server = RedisServer::builder().start().await.unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    assert_eq!(count(&link).await.unwrap(), 1);
    server.kill();
    for _ in 0..8 {
        let error = within(CALL, count(&link)).await.unwrap_err();
        is_outage(&error);
        says(
            &error,
            &["count", &server.addr().to_string(), "cannot be reached"],
        );
    }
    server.start().await.unwrap();
    assert_eq!(within(CALL, count(&link)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_restart_between_two_calls_is_not_noticed() {
    let mut server = RedisServer::builder()
        .append_only(Fsync::Always)
        .start()
        .await
        .unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    // Once round, so that every connection is used.
    for n in 1..=4 {
        assert_eq!(count(&link).await.unwrap(), n);
    }
    server.kill();
    server.start().await.unwrap();
    for n in 5..=12 {
        assert_eq!(within(CALL, count(&link)).await.unwrap(), n);
    }
}

#[tokio::test]
async fn killed_connections_and_forgotten_scripts_are_not_noticed() {
    let server = RedisServer::builder().start().await.unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    for n in 1..=40 {
        if n % 10 == 0 {
            let kill = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
            server.command(&kill).await.unwrap();
        }
        if n % 10 == 5 {
            server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
        }
        assert_eq!(within(CALL, count(&link)).await.unwrap(), n);
    }
}

#[tokio::test]
async fn a_hanging_server_keeps_no_call_longer_than_its_bound() {
    let server = RedisServer::builder().start().await.unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    count(&link).await.unwrap();
    server.pause().unwrap();
    // The first lot times out, the second cannot connect; nobody queues behind another.
    for _ in 0..2 {
        let calls = join_all((0..64).map(|_| count(&link)));
        for outcome in within(CALL, calls).await {
            is_outage(&outcome.unwrap_err());
        }
    }
    server.resume().unwrap();
    let took = recovers(&link, Duration::from_secs(5)).await;
    println!("recovered after {took:?}");
}

#[tokio::test]
async fn a_start_that_finds_a_hanging_server_ends_within_its_bound() {
    let server = RedisServer::builder().start().await.unwrap();
    server.pause().unwrap();
    let error = within(CALL, Link::open(&quick(server.url())))
        .await
        .unwrap_err();
    is_outage(&error);
    says(&error, &["connect: redis at", "cannot be reached"]);
    server.resume().unwrap();
}

#[tokio::test]
async fn a_script_without_end_is_an_outage_until_it_is_killed() {
    let flags = ["--busy-reply-threshold", "50"];
    let server = RedisServer::builder().flags(flags).start().await.unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    let hang = server.command(&["EVAL", "while true do end", "0"]);
    let calls = async {
        SystemClock.sleep(Duration::from_millis(200)).await;
        let error = within(CALL, count(&link)).await.unwrap_err();
        is_outage(&error);
        says(&error, &["busy with a script", "BUSY"]);
        server.command(&["SCRIPT", "KILL"]).await.unwrap();
    };
    let (hung, ()) = tokio::join!(hang, calls);
    assert!(hung.unwrap().contains("killed"));
    assert_eq!(within(CALL, count(&link)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_loads_its_data_is_an_outage_until_it_has() {
    let server = RedisServer::builder()
        .append_only(Fsync::Never)
        .flags([
            "--enable-debug-command",
            "yes",
            "--aof-use-rdb-preamble",
            "no",
        ])
        .start()
        .await
        .unwrap();
    let fill = "for i = 1, 12000 do redis.call('SET', 'k' .. i, i) end";
    server.command(&["EVAL", fill, "0"]).await.unwrap();
    let link = Link::open(&quick(server.url())).await.unwrap();
    let slow = ["CONFIG", "SET", "key-load-delay", "50"];
    assert_eq!(server.command(&slow).await.unwrap(), "+OK\r\n");
    let load = server.command(&["DEBUG", "LOADAOF"]);
    let calls = async {
        let mut loading = 0;
        for _ in 0..60 {
            match within(CALL, count(&link)).await {
                Err(error) if error.to_string().contains("LOADING") => {
                    is_outage(&error);
                    says(&error, &["is loading its data"]);
                    loading += 1;
                }
                Err(error) => is_outage(&error),
                Ok(_) if loading > 0 => break,
                Ok(_) => {}
            }
            SystemClock.sleep(Duration::from_millis(50)).await;
        }
        loading
    };
    // It says that it is done when it is, which may be later than this waits.
    let (_, loading) = tokio::join!(load, calls);
    assert!(loading > 0, "it was never seen loading");
    recovers(&link, Duration::from_secs(10)).await;
}
