//! The limiter arithmetic: pure functions that the memory store calls and the Redis scripts mirror.
//!
//! A [`Counter`] is the state of one limit for one scope. [`decide()`] answers one demand over several of them, and
//! [`Ledger`] keeps them in memory. Nothing here reads a clock. Instants are [`Micros`], and every step is whole-number
//! arithmetic below 2^53, so that a script that reckons in doubles comes to the same answer.
//!
//! The promise is about *sends begun*, and a token may be used until its `use_by`:
//!
//! | kind | promise |
//! |---|---|
//! | calendar | at most `cap` sends begin in each window |
//! | rolling | at most `cap` sends begin in any stretch as long as the window |
//! | pace | at most burst + cap × (stretch + 1 s) ÷ period begin in any stretch; burst: 100 ms worth, at least 1 |

mod allowance;
mod calendar;
mod counter;
mod decide;
mod key;
mod ledger;
mod micros;
mod pace;
mod rolling;
mod run;
mod window;

pub use allowance::Allowance;
pub use calendar::Calendar;
pub use counter::Counter;
pub use decide::{Bound, Decision, decide};
pub use key::key;
pub use ledger::{Ledger, Line, Usage};
pub use micros::Micros;
pub use pace::Pace;
pub use rolling::Rolling;
pub(crate) use run::{Running, run};
pub use window::Window;
