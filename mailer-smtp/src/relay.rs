use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::error::SmtpConfigError;
use crate::login::Xoauth2;
use crate::memory::{Misses, Misunderstandings};
use crate::render::Bodies;
use crate::target::{Encryption, Target};
use crate::time_limits::TimeLimits;
use crate::tls::Tls;

/// What the sessions of a transport share.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) settings: Settings,
    /// None: the relay is talked to in clear text.
    pub(crate) tls: Option<Tls>,
    pub(crate) bodies: Bodies,
    /// Whether the next envelope leaves behind the dot of the mail before: until the relay has swallowed one.
    pub(crate) overlaps: AtomicBool,
    pub(crate) misses: Misses,
    pub(crate) misunderstandings: Misunderstandings,
    /// One for each connection that may be open.
    pub(crate) slots: Arc<Semaphore>,
}

/// Settings that were checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) target: Target,
    /// In place of a password.
    pub(crate) xoauth2: Option<Xoauth2>,
    pub(crate) connections: usize,
    pub(crate) hello_name: Option<String>,
    pub(crate) limits: TimeLimits,
    pub(crate) messages_per_connection: u32,
    pub(crate) connection_age: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) overlap: bool,
}

impl Relay {
    pub(crate) fn new(
        settings: Settings,
        roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, SmtpConfigError> {
        let target = &settings.target;
        let tls = match target.encryption {
            Encryption::None => None,
            Encryption::Implicit | Encryption::StartTls => Some(Tls::new(&target.host, roots)?),
        };
        Ok(Self {
            slots: Arc::new(Semaphore::new(settings.connections)),
            bodies: Bodies::default(),
            overlaps: AtomicBool::new(settings.overlap),
            misses: Misses::default(),
            misunderstandings: Misunderstandings::default(),
            tls,
            settings,
        })
    }
}
