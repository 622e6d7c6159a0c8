//! Looking at the counters.

use chrono::DateTime;
use mailer_core::Error;
use mailer_core::domain::{Limit, Scope};
use mailer_core::limiter::Usage;

use super::ask::call_around;
use super::lines::encode_whole;
use crate::call::Caller;
use crate::script::USAGE;

/// Looks at the counters of limits, whomever they bind.
///
/// # Errors
/// If the server cannot be reached.
///
/// # Cancel safety
/// Changes nothing.
pub(crate) async fn usage(caller: &Caller, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
    let mut all = Vec::with_capacity(limits.len());
    for some in limits.chunks(AT_ONCE) {
        let mut answer = call_around(caller, "usage", &USAGE, |args, around| {
            encode_whole(args, some, around);
        })
        .await?;
        let reply = &mut answer.reply;
        for (limit, scope) in some {
            all.push(Usage {
                limit: limit.clone(),
                scope: scope.clone(),
                used: reply.count()?,
                window_ends: reply.at_or_none()?.map(DateTime::from),
            });
        }
    }
    Ok(all)
}

/// So many counters are read by one script.
const AT_ONCE: usize = 500;
