use std::{io, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// A server certificate signed by an authority made for the occasion.
///
/// A client trusts it by trusting [`ca_pem`](Self::ca_pem). A certificate for another name than the one the client
/// dials, or one whose authority the client was not given, plays a relay that must be refused.
///
/// ```
/// let good = testkit::Certificate::for_names(&["localhost", "127.0.0.1"])?;
/// let wrong = testkit::Certificate::for_names(&["other.example"])?;
/// assert!(good.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # drop(wrong);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Certificate {
    ca_pem: String,
    cert_pem: String,
    key_pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// A new authority and a certificate for these host names and addresses.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn for_names(names: &[&str]) -> io::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority
            .distinguished_name
            .push(DnType::CommonName, "mailer test authority");
        let authority_key = KeyPair::generate().map_err(io::Error::other)?;
        let ca = authority
            .self_signed(&authority_key)
            .map_err(io::Error::other)?;

        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let leaf = CertificateParams::new(names)
            .and_then(|leaf| leaf.signed_by(&key, &Issuer::new(authority, authority_key)))
            .map_err(io::Error::other)?;

        let (cert_pem, key_pem) = (leaf.pem(), key.serialize_pem());
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        Ok(Self {
            ca_pem: ca.pem(),
            cert_pem,
            key_pem,
            config: Arc::new(server_config(leaf.der().clone(), key)?),
        })
    }

    /// The authority's certificate, for the client's trust store.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    pub(crate) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

fn server_config(
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> io::Result<ServerConfig> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config
                .with_no_client_auth()
                .with_single_cert(vec![leaf], key)
        })
        .map_err(io::Error::other)
}
