//! `simulate`: how a policy would let a campaign out. Nothing is sent.

use chrono::{DateTime, Utc};
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::Policy;

use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::input::{PolicyChange, Recipients};
use crate::output::say;

pub(super) fn simulate(
    options: &Options,
    count: Option<u64>,
    start: Option<DateTime<Utc>>,
) -> Result<Ending, Failure> {
    let policy = PolicyChange::of(options)?.apply(Policy::unlimited());
    let count = match count {
        Some(count) => count,
        None => Recipients::open(options.recipients.as_deref())?.count(),
    };
    let start = start.unwrap_or_else(|| SystemClock.now());
    say(format_args!("{policy}\n{count} from {start}"));
    Ok(Ending::Done)
}
