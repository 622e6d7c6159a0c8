//! Deferrals as scripts read and write them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::domain::{Deferral, Lane, Reason, Scope};
use mailer_core::queue::{Defer, Wait};
use serde::Deserialize;

use crate::args::Args;
use crate::micros::Micros;
use crate::reply::Reply;

/// Writes what `asked.lua` reads.
pub(crate) fn encode(args: &mut Args, defer: &Defer) {
    args.text(defer.scope.to_string())
        .text(defer.lane.map_or("", Lane::as_str))
        .text(defer.reason.code())
        .text(if defer.reason.is_of_policy() {
            "1"
        } else {
            "0"
        });
    match defer.wait {
        Wait::For(wait) => args.text("for").text(micros(wait).to_string()),
        Wait::Until(at) => args.text("at").at(at.into()),
        Wait::AfterTrouble => args.text("trouble").text(""),
        Wait::Open => args.text("open").text(""),
    };
    args.text(defer.detail.as_deref().unwrap_or_default())
        .at_or_none(defer.unless_sent_since.map(Micros::from))
        .text(
            defer
                .policy_version
                .map_or(String::new(), |version| version.to_string()),
        );
}

/// A wait in microseconds: ten years at most, so that no sum leaves the calendar.
pub(crate) fn micros(wait: Duration) -> u128 {
    wait.as_micros().min(LONGEST.as_micros())
}

const LONGEST: Duration = Duration::from_secs(3_660 * 86_400);

/// Reads what `shown` answers. `None`: an empty list.
pub(crate) fn decode(mut reply: Reply) -> Result<Option<Deferral>, Error> {
    if reply.is_empty() {
        return Ok(None);
    }
    let scope = reply.text()?;
    let scope: Scope = scope
        .parse()
        .map_err(|error| Error::incompatible("defer", format!("{error}")))?;
    let lane = lane(&reply.text()?);
    let reason = Reason::from(reply.text()?);
    let until = reply.at_or_none()?.map(DateTime::<Utc>::from);
    let mut deferral = Deferral::new(scope, reason, reply.at()?.into());
    deferral.lane = lane;
    deferral.until = until;
    deferral.detail = Some(reply.text()?).filter(|detail| !detail.is_empty());
    Ok(Some(deferral))
}

/// Reads a slot of the book: `UNTIL EPOCH JSON`.
pub(crate) fn decode_slot(scope: &str, bound: &str, slot: &str) -> Result<Deferral, Error> {
    #[derive(Deserialize)]
    struct Said {
        reason: Reason,
        since: String,
        detail: Option<String>,
    }
    let wrong =
        |what: &str| Error::incompatible("status", format!("a deferral of {scope}: {what}"));
    let mut parts = slot.splitn(3, ' ');
    let (Some(until), Some(_), Some(said)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong(slot));
    };
    let said: Said = serde_json::from_str(said).map_err(|error| wrong(&error.to_string()))?;
    let at = |text: &str| {
        let number = text.parse().map_err(|_| wrong(text))?;
        Ok::<_, Error>(DateTime::<Utc>::from(Micros::new(number)))
    };
    let scope = scope.parse().map_err(|_| wrong("no such scope"))?;
    let mut deferral = Deferral::new(scope, said.reason, at(&said.since)?);
    deferral.lane = lane(bound);
    deferral.until = if until == "-" { None } else { Some(at(until)?) };
    deferral.detail = said.detail;
    Ok(deferral)
}

fn lane(text: &str) -> Option<Lane> {
    text.parse().ok()
}
