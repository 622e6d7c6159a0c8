use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::error::SmtpConfigError;
use crate::login::Xoauth2;
use crate::relay::{Relay, Settings};
use crate::target::Target;
use crate::time_limits::TimeLimits;
use crate::token::TokenSource;
use crate::transport::SmtpTransport;

/// How an [`SmtpTransport`] is set up.
///
/// ```
/// use std::time::Duration;
/// use mailer_smtp::SmtpTransport;
///
/// let transport = SmtpTransport::builder("smtps://user:secret@relay.example")
///     .connections(16)
///     .hello_name("worker-1.shop.example")
///     .messages_per_connection(500)
///     .connection_age(Duration::from_secs(600))
///     .idle_timeout(Duration::from_secs(20))
///     .build()?;
/// # drop(transport);
/// # Ok::<(), mailer_smtp::SmtpConfigError>(())
/// ```
#[must_use = "it does nothing until it is built"]
#[derive(Clone)]
pub struct SmtpTransportBuilder {
    url: String,
    xoauth2: Option<Xoauth2>,
    connections: usize,
    hello_name: Option<String>,
    time_limits: TimeLimits,
    messages_per_connection: u32,
    connection_age: Duration,
    idle_timeout: Duration,
    overlap: bool,
    roots: Vec<String>,
}

impl SmtpTransportBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            xoauth2: None,
            connections: 8,
            hello_name: None,
            time_limits: TimeLimits::default(),
            messages_per_connection: 100,
            connection_age: Duration::from_secs(300),
            idle_timeout: Duration::from_secs(60),
            overlap: true,
            roots: Vec::new(),
        }
    }

    /// Logs in with AUTH XOAUTH2 and a token of this source, in place of a password. The URL then has no login.
    pub fn xoauth2(mut self, user: impl Into<String>, tokens: impl TokenSource + 'static) -> Self {
        self.xoauth2 = Some(Xoauth2 {
            user: user.into(),
            tokens: Arc::new(tokens),
        });
        self
    }

    /// The most connections that are open at a time, redials included: 8. Zero is refused.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// The name said in `EHLO`; at first the address literal of the connection's own end (RFC 5321 section 4.1.4).
    pub fn hello_name(mut self, name: impl Into<String>) -> Self {
        self.hello_name = Some(name.into());
        self
    }

    /// How long each step may take.
    pub fn time_limits(mut self, limits: TimeLimits) -> Self {
        self.time_limits = limits;
        self
    }

    /// A connection is replaced after this many mails, so that a relay behind a balancer can move its load: 100. Zero is
    /// refused.
    pub fn messages_per_connection(mut self, most: u32) -> Self {
        self.messages_per_connection = most;
        self
    }

    /// A connection is replaced when it is this old, too, after the mail in hand: 5 min. So a relay's name is looked up again
    /// now and then, whatever the pace. Zero is refused.
    pub fn connection_age(mut self, most: Duration) -> Self {
        self.connection_age = most;
        self
    }

    /// A connection without work is closed after this long: 60 s. Relays close theirs after about 5 minutes. Zero is
    /// refused.
    pub fn idle_timeout(mut self, length: Duration) -> Self {
        self.idle_timeout = length;
        self
    }

    /// Whether the envelope of the next mail leaves behind the final dot of the one before, without waiting for the relay's
    /// verdict, where PIPELINING is offered (RFC 2920 section 3.1): yes. That makes one round trip for each mail.
    ///
    /// A relay that once does not answer an envelope sent like this gets no more of them from this transport.
    pub fn overlap(mut self, is_on: bool) -> Self {
        self.overlap = is_on;
        self
    }

    /// Trusts these authorities beside those of the machine: one or more certificates in PEM. May be called again.
    pub fn trust_pem(mut self, certificates: impl Into<String>) -> Self {
        self.roots.push(certificates.into());
        self
    }

    /// Checks everything. It needs no runtime, opens nothing, and the name is not resolved yet.
    ///
    /// # Errors
    /// The first setting that breaks a rule.
    pub fn build(self) -> Result<SmtpTransport, SmtpConfigError> {
        let target = Target::parse(&self.url)?;
        if let Some(xoauth2) = &self.xoauth2 {
            check_xoauth2(xoauth2, &target)?;
        }
        self.time_limits.check()?;
        // A semaphore holds no more than this.
        let most = usize::MAX >> 3;
        if self.connections == 0 || self.connections > most {
            return Err(SmtpConfigError::Number {
                setting: "connections",
                value: self.connections.to_string(),
                rule: "at least 1 is needed, and a number that a machine can have",
            });
        }
        let messages_per_connection =
            NonZeroU32::new(self.messages_per_connection).ok_or_else(|| {
                SmtpConfigError::Number {
                    setting: "messages_per_connection",
                    value: "0".to_owned(),
                    rule: "at least 1 is needed",
                }
            })?;
        for (setting, length) in [
            ("connection_age", self.connection_age),
            ("idle_timeout", self.idle_timeout),
        ] {
            if length.is_zero() {
                return Err(SmtpConfigError::Number {
                    setting,
                    value: "0".to_owned(),
                    rule: "it is longer than nothing",
                });
            }
        }
        if let Some(name) = &self.hello_name {
            check_hello_name(name)?;
        }
        let mut roots = Vec::new();
        for pem in &self.roots {
            roots.extend(certificates(pem)?);
        }
        let settings = Settings {
            target,
            xoauth2: self.xoauth2,
            connections: self.connections,
            hello_name: self.hello_name,
            limits: self.time_limits,
            messages_per_connection: messages_per_connection.get(),
            connection_age: self.connection_age,
            idle_timeout: self.idle_timeout,
            overlap: self.overlap,
        };
        Ok(SmtpTransport::new(Relay::new(settings, roots)?))
    }
}

impl fmt::Debug for SmtpTransportBuilder {
    /// Without the URL: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTransportBuilder")
            .field("connections", &self.connections)
            .field("hello_name", &self.hello_name)
            .field("time_limits", &self.time_limits)
            .field("messages_per_connection", &self.messages_per_connection)
            .field("connection_age", &self.connection_age)
            .field("idle_timeout", &self.idle_timeout)
            .field("overlap", &self.overlap)
            .finish_non_exhaustive()
    }
}

fn check_xoauth2(xoauth2: &Xoauth2, target: &Target) -> Result<(), SmtpConfigError> {
    if target.login.is_some() {
        return Err(SmtpConfigError::Login {
            part: "password",
            rule: "has no meaning beside a source of tokens",
        });
    }
    if xoauth2.user.is_empty() || xoauth2.user.contains(char::is_control) {
        return Err(SmtpConfigError::User(xoauth2.user.clone()));
    }
    Ok(())
}

fn check_hello_name(name: &str) -> Result<(), SmtpConfigError> {
    let is_literal = name.starts_with('[') && name.ends_with(']');
    let bare = name.trim_matches(|c| is_literal && (c == '[' || c == ']'));
    let is_fit = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || (is_literal && byte == b':')
    };
    if bare.is_empty() || name.len() > 255 || !bare.bytes().all(is_fit) {
        return Err(SmtpConfigError::HelloName(name.to_owned()));
    }
    Ok(())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, SmtpConfigError> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| SmtpConfigError::Roots(error.to_string()))?;
    if found.is_empty() {
        let why = "there is no certificate in the PEM text".to_owned();
        return Err(SmtpConfigError::Roots(why));
    }
    Ok(found)
}
