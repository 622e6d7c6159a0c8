/// Why a transport cannot be built: the value at fault, and the rule it breaks.
///
/// A URL holds a password, so no variant repeats the whole of it.
///
/// ```
/// use mailer_smtp::{SmtpConfigError, SmtpTransport};
///
/// let error = SmtpTransport::from_url("smtp://relay.example?tls=opportunistic").unwrap_err();
/// assert!(matches!(error, SmtpConfigError::Tls { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpConfigError {
    /// It is no URL, for this reason.
    #[error("the relay's URL cannot be read: {0}")]
    Url(String),
    /// The scheme is not one of ours.
    #[error("unknown scheme {0:?}: write smtps://HOST, or smtp://HOST?tls=required")]
    Scheme(String),
    /// No relay is named.
    #[error("the relay's URL has no host: write smtps://HOST")]
    MissingHost,
    /// The host is no host name and no IP address.
    #[error("{0:?} is not a host name or an IP address")]
    Host(String),
    /// The URL has something behind the host and the port.
    #[error(
        "{0:?} has no meaning in a relay's URL: nothing but ?tls=... may follow the host and the port"
    )]
    Trailing(String),
    /// The URL has a setting of which nobody knows what it means.
    #[error("unknown setting {0:?} in the relay's URL: only tls is known")]
    UnknownKey(String),
    /// The word behind `tls=` is refused.
    #[error("tls={value}: {rule}")]
    Tls {
        /// The word.
        value: String,
        /// The rule.
        rule: &'static str,
    },
    /// Mails would leave in the clear, and the URL does not say that they may.
    #[error(
        "{0:?} is not this machine, so mails would travel in the clear: write smtps://, ?tls=required, or ?tls=none if \
         that is what you want"
    )]
    ClearText(String),
    /// A password would leave in the clear, and the URL does not say that it may.
    #[error(
        "{0:?} is not this machine, so the password would travel in the clear: write smtps://, ?tls=required, or \
         ?tls=none if that is what you want"
    )]
    ClearPassword(String),
    /// User or password cannot be used.
    #[error("the {part} in the relay's URL {rule}")]
    Login {
        /// `user` or `password`.
        part: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// The user for tokens cannot be used.
    #[error("{0:?} cannot log in with tokens: a user without control characters is needed")]
    User(String),
    /// A number is out of its range.
    #[error("{setting} is {value}: {rule}")]
    Number {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// The rule.
        rule: &'static str,
    },
    /// The name for `EHLO` is none.
    #[error(
        "{0:?} cannot be said in EHLO: a host name or an address literal such as [192.0.2.1] is needed"
    )]
    HelloName(String),
    /// The extra certificates cannot be read.
    #[error("the extra root certificates cannot be used: {0}")]
    Roots(String),
}
