//! Asking until a script has been given every window that it needs.

use std::time::Duration;

use mailer_core::Error;

use crate::args::Args;
use crate::call::{Answer, Caller};
use crate::micros::Micros;
use crate::script::Script;

/// Every round adds an instant at which some limit ends, and there are fewer of them than limits, as good as always.
const MOST_ROUNDS: usize = 16;

/// Runs a script that is given the windows around some instants, and that asks where it needs others: then once more,
/// with those too. A script that asks has changed nothing.
///
/// # Errors
/// As those of the call; and if the limits ask without end.
///
/// # Cancel safety
/// That of the script: a dropped call may have been executed.
pub(crate) async fn call_around(
    caller: &Caller,
    op: &'static str,
    script: &'static Script,
    encode: impl Fn(&mut Args, &[Micros]),
) -> Result<Answer, Error> {
    let mut asked = Vec::new();
    let mut now = caller.about_now();
    for _ in 0..MOST_ROUNDS {
        let around: Vec<Micros> = std::iter::once(now).chain(asked.iter().copied()).collect();
        let mut args = Args::new();
        encode(&mut args, &around);
        let mut answer = caller.call(op, script, &args).await?;
        if answer.reply.text()? != "ask" {
            return Ok(answer);
        }
        now = answer.now;
        asked.push(answer.reply.at()?);
    }
    Err(Error::unavailable(
        op,
        format!("the limits leave no instant for a token within {MOST_ROUNDS} questions"),
        Duration::from_secs(1),
    ))
}
