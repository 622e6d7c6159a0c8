//! Properties of the limiter arithmetic, under random demands, refunds, changes of policy and clocks that are set back.

mod ledger;
mod pace;
mod rolling;
mod windows;

use mailer_core::domain::Limit;

const SECOND: i64 = 1_000_000;
const NOON: i64 = 1_795_521_600 * SECOND;

fn limit(text: &str) -> Limit {
    text.parse().expect("a limit")
}
