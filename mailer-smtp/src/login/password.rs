use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailer_core::transport::ConnectError;

use super::{not_offered, refused};
use crate::classify::Stage;
use crate::dial::{ask, silence};
use crate::hello::Extensions;
use crate::secret::Login;
use crate::wire::Wire;

/// Logs in with AUTH PLAIN (RFC 4616), or with LOGIN where only that is offered.
pub(super) async fn log_in(
    wire: &mut Wire,
    login: &Login,
    extensions: &Extensions,
    limit: Duration,
) -> Result<(), ConnectError> {
    let user = STANDARD.encode(&login.user);
    let password = STANDARD.encode(&login.password);
    let token = STANDARD.encode(format!("\0{}\0{}", login.user, login.password));
    // A relay that asks for what it was already given does not read the first response.
    let steps = if extensions.auth_plain {
        vec![format!("AUTH PLAIN {token}\r\n"), format!("{token}\r\n")]
    } else if extensions.auth_login {
        vec![
            "AUTH LOGIN\r\n".to_owned(),
            format!("{user}\r\n"),
            format!("{password}\r\n"),
        ]
    } else {
        let why = "a login is given, but the relay offers neither AUTH PLAIN nor AUTH LOGIN";
        return Err(not_offered(why));
    };
    for (index, step) in steps.iter().enumerate() {
        let reply = match ask(wire, step.as_bytes(), limit).await {
            Ok(reply) => reply,
            Err(fault) => return Err(silence(Stage::Auth, &fault)),
        };
        if reply.is_positive() {
            return Ok(());
        }
        if !reply.is_intermediate() || index + 1 == steps.len() {
            return Err(refused(reply, &[&token, &login.password]));
        }
    }
    Ok(())
}
