//! Logging in (RFC 4954).

mod password;
mod redact;
mod xoauth2;

use std::fmt;
use std::sync::Arc;

use mailer_core::domain::HaltCause;
use mailer_core::transport::ConnectError;

use crate::classify::{Stage, classify};
use crate::hello::Extensions;
use crate::relay::Settings;
use crate::reply::Reply;
use crate::token::TokenSource;
use crate::wire::Wire;
use redact::redact;

/// Who logs in with tokens, and where they come from.
#[derive(Clone)]
pub(crate) struct Xoauth2 {
    pub(crate) user: String,
    pub(crate) tokens: Arc<dyn TokenSource>,
}

/// Logs in, if the settings say how.
pub(crate) async fn log_in(
    wire: &mut Wire,
    settings: &Settings,
    extensions: &Extensions,
) -> Result<(), ConnectError> {
    let limit = settings.limits.setup;
    match (&settings.xoauth2, &settings.target.login) {
        (Some(login), _) => xoauth2::log_in(wire, login, extensions, limit).await,
        (None, Some(login)) => password::log_in(wire, login, extensions, limit).await,
        (None, None) => Ok(()),
    }
}

fn not_offered(why: &str) -> ConnectError {
    ConnectError::Config {
        cause: HaltCause::BadCredentials,
        reply: why.to_owned(),
    }
}

/// The relay's refusal, without the secrets that it may repeat.
fn refused(reply: Reply<'_>, secrets: &[&str]) -> ConnectError {
    classify(Stage::Auth, reply).connect_error(redact(&reply.text(), secrets))
}

impl fmt::Debug for Xoauth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Xoauth2(***)")
    }
}

#[cfg(test)]
mod tests;
