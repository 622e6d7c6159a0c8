use std::sync::Arc;

use mailer_core::transport::ConnectError;
use rustls_native_certs::CertificateResult;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::refused;

/// A connector that trusts the machine's authorities and those that were given.
#[derive(Clone)]
pub(super) struct Trusting {
    pub(super) connector: TlsConnector,
    /// Whether all of the machine's could be read. Who has signed an unknown certificate may be one of the others.
    pub(super) is_whole: bool,
}

/// What can be made of what was read.
///
/// # Errors
/// There is nobody to trust: for now if not everything could be read, or else until somebody acts.
pub(super) fn trusting(
    native: CertificateResult,
    extra: &[CertificateDer<'static>],
) -> Result<Trusting, ConnectError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(native.certs);
    roots.add_parsable_certificates(extra.iter().cloned());
    match native.errors.first() {
        Some(error) if roots.is_empty() => {
            return Err(ConnectError::Transient {
                reply: format!("TLS: this machine's root certificates cannot be read: {error}"),
            });
        }
        None if roots.is_empty() => {
            let why = "TLS: this machine has no root certificates, and none were given";
            return Err(refused(why.to_owned()));
        }
        Some(_) | None => {}
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Trusting {
        connector: TlsConnector::from(Arc::new(config)),
        is_whole: native.errors.is_empty(),
    })
}
