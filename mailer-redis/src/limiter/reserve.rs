//! Taking tokens.

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::domain::{Limit, Reason, Scope};
use mailer_core::limiter::{Demand, Grant, Refusal};

use super::ask::call_around;
use super::lines::encode;
use crate::args::Args;
use crate::call::Caller;
use crate::micros::Micros;
use crate::reply::Reply;
use crate::script::RESERVE;

/// More than that go in several calls: other callers of the server wait while a script runs.
const MOST_AT_ONCE: usize = 64;

/// Takes tokens for demands, one after the other: the first 64 in one step, then the next.
///
/// # Errors
/// If the server cannot be reached. What earlier steps granted is told to who asks again with the same ids.
///
/// # Cancel safety
/// A dropped call may have been executed. Ask again with the same ids.
pub(crate) async fn reserve(caller: &Caller, demands: &[Demand]) -> Result<Vec<Grant>, Error> {
    let mut grants = Vec::with_capacity(demands.len());
    for demands in demands.chunks(MOST_AT_ONCE) {
        let mut answer = call_around(caller, "reserve", &RESERVE, |args, around| {
            args.len(demands.len());
            for demand in demands {
                write(args, demand, around);
            }
        })
        .await?;
        for _ in demands {
            grants.push(grant(&mut answer.reply)?);
        }
    }
    Ok(grants)
}

fn write(args: &mut Args, demand: &Demand, around: &[Micros]) {
    let lines: Vec<(&Limit, Scope, Option<DateTime<Utc>>)> = demand
        .limits
        .iter()
        .map(|(limit, scope)| (limit, scope.clone(), None))
        .collect();
    args.text(&demand.id).int(demand.n);
    encode(args, &lines, demand.lane, demand.reserved_percent, around);
}

fn grant(reply: &mut Reply) -> Result<Grant, Error> {
    let granted = reply.count()?;
    let use_by = reply.at()?.into();
    let server_now = reply.at()?.into();
    let (scope, reason, retry_at) = (reply.text()?, reply.text()?, reply.at_or_none()?);
    let refusal = match (scope.as_str(), reason) {
        ("", _) => None,
        (scope, reason) => Some(Refusal {
            scope: scope
                .parse()
                .map_err(|error| Error::incompatible("reserve", format!("{error}")))?,
            reason: Reason::from(reason),
            retry_at: retry_at.map(DateTime::from),
        }),
    };
    Ok(Grant {
        granted,
        use_by,
        refusal,
        server_now,
    })
}
