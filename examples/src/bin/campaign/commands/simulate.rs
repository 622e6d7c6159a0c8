//! `simulate`: how a policy would let a campaign out. Nothing is sent.

use chrono::{DateTime, Utc};
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::Policy;

use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::input::{PolicyChange, Recipients};
use crate::output::{json, say};
use crate::store::open;

pub(super) async fn simulate(
    options: &Options,
    count: Option<u64>,
    start: Option<DateTime<Utc>>,
) -> Result<Ending, Failure> {
    let mailer = open(options).await?;
    let change = PolicyChange::of(options)?;
    let stored = mailer.policy().await?;
    let policy = change.apply(stored.map_or_else(Policy::unlimited, |stored| stored.policy))?;
    let count = match count {
        Some(count) => count,
        None => Recipients::open(options.recipients.as_deref())?.count(),
    };
    let start = start.unwrap_or_else(|| SystemClock.now());
    let timeline = policy.simulate(start, count);
    if options.json {
        json(&timeline)?;
    } else {
        say(timeline)?;
    }
    Ok(Ending::Done)
}
