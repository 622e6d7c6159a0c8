use std::error::Error;
use std::fmt;

use async_trait::async_trait;

/// Gives the tokens with which a transport logs in by AUTH XOAUTH2, as Gmail and Microsoft 365 want it. The host
/// implements it over its OAuth library.
///
/// # Contract
/// - It is asked at every login, by several connections at a time: it keeps a token for as long as it is good.
/// - An error says that there is none now: the connection counts as trouble that passes, and is tried again later.
/// - It answers within [`TimeLimits::setup`](crate::TimeLimits::setup); longer waits count as an error.
///
/// ```
/// use async_trait::async_trait;
/// use mailer_smtp::{AccessToken, SmtpTransport, TokenError, TokenNeed, TokenSource};
///
/// #[derive(Debug)]
/// struct FromOurVault;
///
/// #[async_trait]
/// impl TokenSource for FromOurVault {
///     async fn token(&self, need: TokenNeed) -> Result<AccessToken, TokenError> {
///         match need {
///             TokenNeed::Login => Ok(AccessToken::new("the one we have")),
///             TokenNeed::Refused => Ok(AccessToken::new("one that was just refreshed")),
///         }
///     }
/// }
///
/// let transport = SmtpTransport::builder("smtp://smtp.gmail.com?tls=required")
///     .xoauth2("news@shop.example", FromOurVault)
///     .build()?;
/// # drop(transport);
/// # Ok::<(), mailer_smtp::SmtpConfigError>(())
/// ```
///
/// # Cancel safety
/// The future is dropped when the time is over, or when the connection is no longer wanted.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// A token for a login.
    ///
    /// # Errors
    /// If there is none now. The words are shown in the status of what waits.
    async fn token(&self, need: TokenNeed) -> Result<AccessToken, TokenError>;
}

/// Why a [`TokenSource`] has no token.
pub type TokenError = Box<dyn Error + Send + Sync>;

/// Why a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a source answers every need, and there are two"
)]
pub enum TokenNeed {
    /// A connection logs in.
    Login,
    /// The relay has just refused the last one given to this connection: it wants another. If that is refused, too, the
    /// login counts as wrong, and campaigns halt.
    Refused,
}

/// An access token (RFC 6750). It does not show in `Debug`.
///
/// ```
/// use mailer_smtp::AccessToken;
///
/// assert!(!format!("{:?}", AccessToken::new("ya29.secret")).contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// The token as the authorisation server gave it.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can stand in the login without being taken for something else: printable ASCII without blanks.
    pub(crate) fn is_fit(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(***)")
    }
}
