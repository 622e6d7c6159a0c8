use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mailer_core::domain::Policy;
use mailer_core::sim::FakeRelay;
use mailer_core::transport::{ConnectError, Session, Transport, Work};

use super::start_worker;
use crate::{HOUR, MINUTE, campaign, recipients, simulation};

/// Where the first connection panics.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Connect,
    Serve,
    Mail,
}

/// Panics once, and then is the relay.
#[derive(Debug)]
struct Faulty {
    at: At,
    opened: Arc<AtomicUsize>,
    relay: FakeRelay,
}

#[async_trait]
impl Transport for Faulty {
    fn max_connections(&self) -> usize {
        1
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        if self.opened.fetch_add(1, Ordering::SeqCst) > 0 {
            return self.relay.connect().await;
        }
        assert_ne!(self.at, At::Connect, "the transport has a fault");
        Ok(Box::new(FaultySession(self.at)))
    }
}

#[derive(Debug)]
struct FaultySession(At);

#[async_trait]
impl Session for FaultySession {
    async fn serve(&mut self, work: &mut Work) {
        assert_ne!(self.0, At::Serve, "the session has a fault");
        let _mail = work.next().await;
        panic!("the session has another fault");
    }
}

#[test]
fn a_connection_that_panics_is_replaced() {
    for at in [At::Connect, At::Serve, At::Mail] {
        let sim = simulation();
        sim.run(async |sim| {
            let policy = Policy::unlimited().transient_delay(MINUTE);
            sim.set_policy(&policy).await.unwrap();
            let transport = Faulty {
                at,
                opened: Arc::default(),
                relay: sim.relay().clone(),
            };
            let opened = Arc::clone(&transport.opened);
            start_worker(sim, 1, "default", transport);
            let spring = sim
                .mailer()
                .submit(&campaign("spring"), recipients(1))
                .await
                .unwrap()
                .id;
            let done = sim.until_finished(&spring, HOUR).await.unwrap();
            assert_eq!(done.counts.sent, 1, "{at:?}: {done}");
            assert_eq!(opened.load(Ordering::SeqCst), 2, "{at:?}");
            let told = format!("{:?}", sim.trace().events());
            assert!(told.contains("fault"), "{at:?}: {told}");
        });
    }
}
