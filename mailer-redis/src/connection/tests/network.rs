//! Networks that stall, cut, lose and refuse.

use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use testkit::{FaultProxy, RedisServer};

use super::*;

async fn behind_a_network() -> (RedisServer, FaultProxy, Link) {
    let server = RedisServer::builder().start().await.unwrap();
    let network = FaultProxy::start_seeded(server.addr(), 7).await.unwrap();
    let config = quick(format!("redis://{}", network.addr())).connections(2);
    let link = Link::open(&config).await.unwrap();
    (server, network, link)
}

#[tokio::test]
async fn a_stall_fails_calls_in_time_and_may_still_have_done_them() {
    let (server, mut network, link) = behind_a_network().await;
    assert_eq!(count(&link).await.unwrap(), 1);
    count(&link).await.unwrap();
    network.stall();
    let error = within(COMMAND, count(&link)).await.unwrap_err();
    is_outage(&error);
    says(
        &error,
        &["does not answer COUNT in time", "may have been done"],
    );
    SystemClock.sleep(Duration::from_millis(600)).await;
    network.pass().await.unwrap();
    let took = recovers(&link, Duration::from_secs(2)).await;
    println!("recovered after {took:?}");
    drop(server);
}

#[tokio::test]
async fn a_black_hole_fails_calls_in_time_and_its_connections_are_replaced() {
    let (_server, mut network, link) = behind_a_network().await;
    count(&link).await.unwrap();
    count(&link).await.unwrap();
    network.black_hole();
    for _ in 0..4 {
        is_outage(&within(CALL, count(&link)).await.unwrap_err());
    }
    // What it swallowed never comes back: only new connections help.
    network.pass().await.unwrap();
    for _ in 0..4 {
        within(CALL, count(&link)).await.unwrap();
    }
}

#[tokio::test]
async fn cut_connections_are_not_noticed() {
    let (_server, mut network, link) = behind_a_network().await;
    for n in 1..=12 {
        if n % 3 == 0 {
            network.cut().await;
        }
        assert_eq!(within(CALL, count(&link)).await.unwrap(), n);
    }
}

#[tokio::test]
async fn a_call_that_is_cut_in_the_middle_is_repeated() {
    let (_server, mut network, link) = behind_a_network().await;
    count(&link).await.unwrap();
    count(&link).await.unwrap();
    network.stall();
    let cut = async {
        SystemClock.sleep(Duration::from_millis(100)).await;
        network.cut().await;
        network.pass().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(within(CALL, count(&link)), cut);
    assert_eq!(outcome.unwrap(), 3);
}

#[tokio::test]
async fn a_network_that_refuses_is_an_outage_until_it_does_not() {
    let (_server, mut network, link) = behind_a_network().await;
    count(&link).await.unwrap();
    network.refuse().await;
    network.cut().await;
    for _ in 0..4 {
        let error = within(CALL, count(&link)).await.unwrap_err();
        is_outage(&error);
        says(&error, &["cannot be reached; does it run there", "refused"]);
    }
    network.pass().await.unwrap();
    within(CALL, count(&link)).await.unwrap();
}

#[tokio::test]
async fn connections_cut_anywhere_make_outages_and_nothing_else() {
    let (_server, mut network, link) = behind_a_network().await;
    network.cut_each_after(1..2000);
    network.cut().await;
    let mut done = 0;
    for _ in 0..300 {
        match within(CALL, count(&link)).await {
            Ok(_) => done += 1,
            Err(error) => is_outage(&error),
        }
    }
    println!(
        "{done} of 300 calls over {} connections",
        network.accepted()
    );
    assert!(network.accepted() > 20);
    network.pass().await.unwrap();
    network.cut().await;
    within(CALL, count(&link)).await.unwrap();
}
