use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use mailer_core::domain::{Email, Outcome};
use mailer_core::transport::{ConnectError, Session, Transport, Work};

/// A relay that takes every mail at once, so that what is measured is the engine and the store alone.
#[derive(Clone)]
pub struct NullRelay {
    connections: usize,
    on_mail: Arc<dyn Fn(&Email) + Send + Sync>,
}

impl NullRelay {
    /// With so many connections.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            connections,
            on_mail: Arc::new(|_| {}),
        }
    }

    /// Calls `on_mail` with each mail at the instant at which it would be written to the wire.
    #[must_use]
    pub fn on_mail(mut self, on_mail: impl Fn(&Email) + Send + Sync + 'static) -> Self {
        self.on_mail = Arc::new(on_mail);
        self
    }
}

impl fmt::Debug for NullRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NullRelay({})", self.connections)
    }
}

#[async_trait]
impl Transport for NullRelay {
    fn max_connections(&self) -> usize {
        self.connections
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(NullSession(self.clone())))
    }
}

#[derive(Debug)]
struct NullSession(NullRelay);

#[async_trait]
impl Session for NullSession {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, email)) = work.next().await {
            if let Ok(flight) = permit.begin() {
                (self.0.on_mail)(&email);
                flight.finish(Outcome::Sent {
                    reply: "250 2.0.0 Ok".to_owned(),
                });
            }
        }
    }
}
