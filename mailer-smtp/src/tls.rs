use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use mailer_core::domain::HaltCause;
use mailer_core::transport::ConnectError;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{AlertDescription, ClientConfig, Error, RootCertStore};

use crate::error::SmtpConfigError;

/// Whom to trust, and which name the relay's certificate must carry.
pub(crate) struct Tls {
    name: ServerName<'static>,
    extra: Vec<CertificateDer<'static>>,
    /// The machine's roots are read at the first connection: building a transport opens nothing.
    connector: OnceLock<Result<TlsConnector, String>>,
}

impl Tls {
    pub(crate) fn new(
        host: &str,
        extra: Vec<CertificateDer<'static>>,
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
            connector: OnceLock::new(),
        })
    }

    /// Shakes hands; the certificate must be trusted and carry the relay's name.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let connector = self
            .connector
            .get_or_init(|| connector(&self.extra))
            .as_ref()
            .map_err(|why| refused(why.clone()))?;
        connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| {
                let reply = format!("TLS: {error}");
                if is_distrust(&error) {
                    refused(reply)
                } else {
                    ConnectError::Transient { reply }
                }
            })
    }
}

pub(crate) fn refused(reply: String) -> ConnectError {
    ConnectError::Config {
        cause: HaltCause::TlsRefused,
        reply,
    }
}

fn connector(extra: &[CertificateDer<'static>]) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    roots.add_parsable_certificates(extra.iter().cloned());
    if roots.is_empty() {
        return Err("TLS: this machine has no root certificates, and none were given".to_owned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Whether waiting will not help: a certificate that is not trusted or carries another name, or no common version or
/// cipher. The end of the stream and answers that are not TLS may pass.
fn is_distrust(error: &io::Error) -> bool {
    let Some(error) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    else {
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

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
