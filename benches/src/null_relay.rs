use async_trait::async_trait;
use mailer_core::domain::Outcome;
use mailer_core::transport::{ConnectError, Session, Transport, Work};

/// A relay that takes every mail at once, so that what is measured is the engine and the store alone.
#[derive(Debug, Clone, Copy)]
pub struct NullRelay {
    connections: usize,
}

impl NullRelay {
    /// With so many connections.
    #[must_use]
    pub const fn new(connections: usize) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl Transport for NullRelay {
    fn max_connections(&self) -> usize {
        self.connections
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(NullSession))
    }
}

#[derive(Debug)]
struct NullSession;

#[async_trait]
impl Session for NullSession {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, email)) = work.next().await {
            drop(email);
            if let Ok(flight) = permit.begin() {
                flight.finish(Outcome::Sent {
                    reply: "250 2.0.0 Ok".to_owned(),
                });
            }
        }
    }
}
