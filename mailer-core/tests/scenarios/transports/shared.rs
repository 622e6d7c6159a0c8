//! Two workers that share the places of one transport.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::Clock;
use mailer_core::domain::{CampaignId, Outcome, Policy};
use mailer_core::observer::Event;
use mailer_core::sim::Sim;
use mailer_core::transport::{ConnectError, OneShot, Transport};

use super::start_worker;
use crate::{HOUR, MINUTE, SECOND, campaign, recipients, simulation};

/// One place, in which a mail takes this long.
fn service(sim: &Sim, takes: Duration) -> OneShot {
    let clock = sim.clock().clone();
    let send = move |_email| {
        let clock = clock.clone();
        async move {
            clock.sleep(takes).await;
            Outcome::Sent {
                reply: "202 accepted".to_owned(),
            }
        }
    };
    OneShot::new(send)
        .connections(1)
        .clock(Arc::new(sim.clock().clone()))
}

/// Two workers, each with a way of its own that ends in the same service.
async fn start_both(sim: &Sim, service: OneShot) {
    sim.set_policy(&Policy::unlimited()).await.unwrap();
    start_worker(sim, 1, "default", service.clone());
    start_worker(sim, 2, "other", service);
}

async fn submit(sim: &Sim, relay: &str, count: usize) -> CampaignId {
    let campaign = campaign(relay).relay(relay);
    let submitted = sim.mailer().submit(&campaign, recipients(count)).await;
    submitted.unwrap().id
}

async fn sent(sim: &Sim, campaign: &CampaignId) -> u64 {
    sim.status(campaign).await.unwrap().counts.sent
}

fn deferrals(sim: &Sim) -> usize {
    let events = sim.trace().events();
    let deferred = events
        .iter()
        .filter(|traced| matches!(traced.event, Event::Deferred(_)));
    deferred.count()
}

#[test]
fn who_has_nothing_to_send_leaves_its_place_to_others() {
    let sim = simulation();
    sim.run(async |sim| {
        start_both(sim, service(sim, SECOND)).await;
        let first = submit(sim, "default", 1).await;
        sim.advance(SECOND).await;
        assert_eq!(sent(sim, &first).await, 1);
        let second = submit(sim, "other", 1).await;
        sim.advance(4 * SECOND).await;
        assert_eq!(sent(sim, &second).await, 1);
    });
    assert_eq!(deferrals(&sim), 0);
}

#[test]
fn that_all_places_are_taken_is_no_trouble_of_the_relay() {
    let sim = simulation();
    sim.run(async |sim| {
        start_both(sim, service(sim, MINUTE)).await;
        submit(sim, "default", 1).await;
        sim.advance(SECOND).await;
        let second = submit(sim, "other", 1).await;
        sim.advance(2 * MINUTE + 10 * SECOND).await;
        assert_eq!(sent(sim, &second).await, 1);
    });
    assert_eq!(deferrals(&sim), 0);
}

#[test]
fn who_has_much_to_send_lets_others_have_their_turn() {
    let sim = simulation();
    sim.run(async |sim| {
        start_both(sim, service(sim, SECOND)).await;
        let first = submit(sim, "default", 1000).await;
        sim.advance(SECOND).await;
        let second = submit(sim, "other", 1).await;
        sim.advance(10 * MINUTE).await;
        assert_eq!(sent(sim, &second).await, 1);
        assert!(sent(sim, &first).await > 550);
    });
    assert_eq!(deferrals(&sim), 0);
}

#[test]
fn who_waits_for_a_place_is_told_so_after_a_while() {
    let sim = simulation();
    sim.run(async |sim| {
        let service = service(sim, SECOND);
        let place = service.connect().await.unwrap();
        let (refused, ()) = tokio::join!(service.connect(), sim.advance(MINUTE));
        assert_eq!(refused.unwrap_err(), ConnectError::Full { most: 1 });
        let (granted, ()) = tokio::join!(service.connect(), async { drop(place) });
        assert!(granted.is_ok());
    });
}

#[test]
fn a_transport_without_a_place_is_not_asked_in_a_spin() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.relay().go_down(ConnectError::Full { most: 4 });
        sim.start_worker();
        let spring = submit(sim, "default", 10).await;
        sim.advance(MINUTE).await;
        let events = sim.trace().events();
        let refused = events
            .iter()
            .filter(|traced| matches!(traced.event, Event::ConnectFailed { .. }));
        let refused = refused.count();
        assert!((10..=70).contains(&refused), "{refused}");
        sim.relay().come_up();
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 10);
    });
    assert_eq!(deferrals(&sim), 0);
}
