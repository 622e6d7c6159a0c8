use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::CampaignId;
use mailer_core::observer::Event;
use mailer_core::sim::{FakeRelay, Sim};
use mailer_core::transport::{ConnectError, Session, Transport, Work};

use super::start_worker;
use crate::{HOUR, SECOND, campaign, limited, recipients, simulation};

/// The relay, over one connection at a time that is left after a while.
#[derive(Debug)]
struct Impatient {
    relay: FakeRelay,
    clock: VirtualClock,
    leaves_after: Duration,
}

#[async_trait]
impl Transport for Impatient {
    fn max_connections(&self) -> usize {
        1
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(ImpatientSession {
            inner: self.relay.connect().await?,
            clock: self.clock.clone(),
            leaves_after: self.leaves_after,
        }))
    }
}

#[derive(Debug)]
struct ImpatientSession {
    inner: Box<dyn Session>,
    clock: VirtualClock,
    leaves_after: Duration,
}

#[async_trait]
impl Session for ImpatientSession {
    async fn serve(&mut self, work: &mut Work) {
        let _hold = self.clock.hold();
        if !self.leaves_after.is_zero() {
            tokio::select! {
                biased;
                () = self.inner.serve(work) => return,
                () = self.clock.sleep(self.leaves_after) => {}
            }
        }
        work.retire();
    }
}

async fn start(sim: &Sim, leaves_after: Duration) -> CampaignId {
    // One every 1.5 s: too little for the store to make the campaign wait.
    sim.set_policy(&limited("40/minute pace")).await.unwrap();
    let transport = Impatient {
        relay: sim.relay().clone(),
        clock: sim.clock().clone(),
        leaves_after,
    };
    start_worker(sim, 1, "default", transport);
    let spring = campaign("spring");
    let submitted = sim.mailer().submit(&spring, recipients(4)).await;
    submitted.unwrap().id
}

#[test]
fn a_connection_that_is_left_because_nothing_came_is_no_trouble_of_the_relay() {
    let sim = simulation();
    sim.run(async |sim| {
        let spring = start(sim, SECOND * 2 / 5).await;
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 4, "{done}");
    });
    let events = sim.trace().events();
    let trouble = events.iter().filter(|traced| {
        matches!(
            traced.event,
            Event::Deferred(_) | Event::ConnectFailed { .. }
        )
    });
    assert_eq!(trouble.count(), 0, "{events:?}");
    assert_eq!(sim.relay().taken(), 12, "one after the other in 4.5 s");
}

#[test]
fn one_that_is_left_before_anything_could_come_is() {
    let sim = simulation();
    sim.run(async |sim| {
        start(sim, Duration::ZERO).await;
        sim.advance(HOUR).await;
    });
    assert!(
        sim.relay().taken() < 40,
        "{} connections",
        sim.relay().taken()
    );
}
