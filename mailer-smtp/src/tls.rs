mod roots;

use std::fmt;
use std::io;
use std::sync::OnceLock;

use mailer_core::domain::HaltCause;
use mailer_core::transport::ConnectError;
use rustls_native_certs::{CertificateResult, load_native_certs};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{AlertDescription, Error, RootCertStore};

use crate::error::SmtpConfigError;
use roots::{Trusting, trusting};

/// Reads the machine's authorities.
type ReadRoots = Box<dyn Fn() -> CertificateResult + Send + Sync>;

/// Whom to trust, and which name the relay's certificate must carry.
pub(crate) struct Tls {
    name: ServerName<'static>,
    extra: Vec<CertificateDer<'static>>,
    read: ReadRoots,
    /// The machine's roots are read at the first connection: building a transport opens nothing. They are kept when all
    /// could be read: a machine may be out of file handles for a moment.
    whole: OnceLock<Trusting>,
}

impl Tls {
    pub(crate) fn new(
        host: &str,
        extra: Vec<CertificateDer<'static>>,
    ) -> Result<Self, SmtpConfigError> {
        Self::reading(host, extra, Box::new(load_native_certs))
    }

    fn reading(
        host: &str,
        extra: Vec<CertificateDer<'static>>,
        read: ReadRoots,
    ) -> Result<Self, SmtpConfigError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| SmtpConfigError::Host(host.to_owned()))?;
        let mut roots = RootCertStore::empty();
        for certificate in &extra {
            roots
                .add(certificate.clone())
                .map_err(|error| SmtpConfigError::Roots(error.to_string()))?;
        }
        Ok(Self {
            name,
            extra,
            read,
            whole: OnceLock::new(),
        })
    }

    /// Shakes hands; the certificate must be trusted and carry the relay's name.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let trusting = self.trusting()?;
        trusting
            .connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| {
                let reply = format!("TLS: {error}");
                // With all authorities it might be trusted.
                let is_open = !trusting.is_whole && is_of_certificate(&error);
                if is_distrust(&error) && !is_open {
                    refused(reply)
                } else {
                    ConnectError::Transient { reply }
                }
            })
    }

    fn trusting(&self) -> Result<Trusting, ConnectError> {
        if let Some(known) = self.whole.get() {
            return Ok(known.clone());
        }
        let read = trusting((self.read)(), &self.extra)?;
        if read.is_whole {
            return Ok(self.whole.get_or_init(|| read).clone());
        }
        Ok(read)
    }
}

pub(crate) fn refused(reply: String) -> ConnectError {
    ConnectError::Config {
        cause: HaltCause::TlsRefused,
        reply,
    }
}

/// Whether waiting will not help: a certificate that is not trusted or carries another name, or no common version or
/// cipher. The end of the stream and answers that are not TLS may pass.
fn is_distrust(error: &io::Error) -> bool {
    let Some(error) = of_tls(error) else {
        return false;
    };
    match error {
        Error::InvalidCertificate(_)
        | Error::NoCertificatesPresented
        | Error::UnsupportedNameType
        | Error::PeerIncompatible(_)
        | Error::PeerMisbehaved(_) => true,
        Error::AlertReceived(alert) => matches!(
            alert,
            AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::UnrecognisedName
                | AlertDescription::CertificateRequired
        ),
        _ => false,
    }
}

fn is_of_certificate(error: &io::Error) -> bool {
    matches!(of_tls(error), Some(Error::InvalidCertificate(_)))
}

fn of_tls(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref::<Error>()
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
