use std::sync::Arc;

use async_trait::async_trait;
use mailer_core::transport::{ConnectError, Session, Transport};

use crate::builder::SmtpTransportBuilder;
use crate::deadline::Deadline;
use crate::dial::Line;
use crate::error::SmtpConfigError;
use crate::relay::Relay;
use crate::session::SmtpSession;

/// A way to one SMTP relay.
///
/// It is told by a URL where the relay is and how it is talked to:
///
/// | URL | Connection | Port |
/// |---|---|---|
/// | `smtps://HOST` | TLS from the first byte | 465 |
/// | `smtp://HOST?tls=required` | STARTTLS, and nothing without it | 587 |
/// | `smtp://HOST` | clear text, to this machine only | 25 |
/// | `smtp://HOST?tls=none` | clear text, to anywhere | 25 |
///
/// User and password stand before the host, percent-encoded where they hold one of `:/?#[]@%`.
///
/// Building one needs no runtime and opens nothing. Clones share the cap on connections.
///
/// ```
/// use mailer_smtp::SmtpTransport;
///
/// let transport = SmtpTransport::from_url("smtps://user:p%40ss@relay.example:465")?;
/// assert!(!format!("{transport:?}").contains("p@ss"));
/// # Ok::<(), mailer_smtp::SmtpConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SmtpTransport {
    relay: Arc<Relay>,
}

impl SmtpTransport {
    /// The relay of this URL, everything else as it comes: 8 connections, 100 mails on each.
    ///
    /// # Errors
    /// What is wrong with the URL; see [`SmtpConfigError`].
    pub fn from_url(url: &str) -> Result<Self, SmtpConfigError> {
        Self::builder(url).build()
    }

    /// The relay of this URL, to be set up further. The URL is read by
    /// [`build`](SmtpTransportBuilder::build).
    pub fn builder(url: &str) -> SmtpTransportBuilder {
        SmtpTransportBuilder::new(url)
    }

    pub(crate) fn new(relay: Relay) -> Self {
        Self {
            relay: Arc::new(relay),
        }
    }

    #[cfg(test)]
    pub(crate) fn relay(&self) -> &Relay {
        &self.relay
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    fn max_connections(&self) -> usize {
        self.relay.settings.connections
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        let settings = &self.relay.settings;
        let slot = Deadline::new()
            .within(
                settings.limits.connect,
                Arc::clone(&self.relay.slots).acquire_owned(),
            )
            .await;
        // The semaphore is never closed, so the only failure is time.
        let Ok(Ok(slot)) = slot else {
            return Err(ConnectError::Full {
                most: settings.connections,
            });
        };
        let line = Line::open(&self.relay).await?;
        Ok(Box::new(SmtpSession::new(
            Arc::clone(&self.relay),
            line,
            slot,
        )))
    }
}
