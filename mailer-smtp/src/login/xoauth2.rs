use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailer_core::transport::ConnectError;

use super::{Xoauth2, not_offered, refused};
use crate::classify::Stage;
use crate::deadline::{Deadline, TimedOut};
use crate::dial::{ask, silence};
use crate::hello::Extensions;
use crate::token::{AccessToken, TokenNeed};
use crate::wire::Wire;

/// The relay does not take the token, and may take another one.
const TOKEN_REFUSED: u16 = 535;

/// What the relay says to a token.
enum Answer {
    Welcome,
    Refused(ConnectError),
}

/// Logs in with AUTH XOAUTH2; with a second token, if the relay refuses the first: tokens expire.
pub(super) async fn log_in(
    wire: &mut Wire,
    login: &Xoauth2,
    extensions: &Extensions,
    limit: Duration,
) -> Result<(), ConnectError> {
    if !extensions.auth_xoauth2 {
        let why = "a login with tokens is given, but the relay does not offer AUTH XOAUTH2";
        return Err(not_offered(why));
    }
    let first = ask_for_token(login, TokenNeed::Login, limit).await?;
    if let Answer::Welcome = present(wire, &login.user, &first, limit).await? {
        return Ok(());
    }
    let second = ask_for_token(login, TokenNeed::Refused, limit).await?;
    match present(wire, &login.user, &second, limit).await? {
        Answer::Welcome => Ok(()),
        Answer::Refused(error) => Err(error),
    }
}

async fn ask_for_token(
    login: &Xoauth2,
    need: TokenNeed,
    limit: Duration,
) -> Result<AccessToken, ConnectError> {
    let none = |why: String| ConnectError::Transient {
        reply: format!("no token for AUTH XOAUTH2: {why}"),
    };
    let answer = Deadline::new()
        .within(limit, login.tokens.token(need))
        .await;
    let token = answer
        .map_err(|TimedOut| none(format!("its source did not answer within {limit:?}")))?
        .map_err(|error| none(error.to_string()))?;
    if token.is_fit() {
        Ok(token)
    } else {
        Err(none(
            "what its source gave is not printable ASCII".to_owned(),
        ))
    }
}

/// Shows the token. Why it is refused is a challenge of its own, which is answered with an empty line.
async fn present(
    wire: &mut Wire,
    user: &str,
    token: &AccessToken,
    limit: Duration,
) -> Result<Answer, ConnectError> {
    let token = token.as_str();
    let response = STANDARD.encode(format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}"));
    let mut line = format!("AUTH XOAUTH2 {response}\r\n");
    let mut is_shown = false;
    loop {
        let reply = match ask(wire, line.as_bytes(), limit).await {
            Ok(reply) => reply,
            Err(fault) => return Err(silence(Stage::Auth, &fault)),
        };
        if reply.is_positive() {
            return Ok(Answer::Welcome);
        }
        if !reply.is_intermediate() || is_shown {
            let error = refused(reply, &[&response, token]);
            return match reply.code() {
                TOKEN_REFUSED => Ok(Answer::Refused(error)),
                _ => Err(error),
            };
        }
        // A relay that did not read the first response asks for it with an empty challenge.
        let is_asked = reply.texts().all(<[u8]>::is_empty) && line.starts_with("AUTH");
        is_shown = !is_asked;
        line = match is_asked {
            true => format!("{response}\r\n"),
            false => "\r\n".to_owned(),
        };
    }
}
