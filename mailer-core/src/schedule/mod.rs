//! The pure part: what follows from what, with time as an argument. No input or output, no clock, no randomness.
//!
//! - `delivery`: the states of one recipient's mail, and every legal step between them.
//! - `campaign`: the shown state of a campaign, a projection of its facts.
//! - `deferral`: who waits, by scope; the later of two waits holds.
//! - `refusal`: until when a closed hour or a used-up limit defers, and why.
//! - `fair`: which stream is served next.
//! - `forecast`: how a policy would let a campaign out.
//! - `openings`: working hours as a table, for stores that cannot ask a calendar.
//! - `view`: what is shown of a stream and its deliveries.
//! - `succession`: what a policy leaves behind.
//! - `term`: how long things last.

mod breaker;
pub(crate) mod campaign;
pub(crate) mod deferral;
pub(crate) mod delivery;
#[cfg(test)]
mod diagrams;
pub(crate) mod fair;
mod forecast;
mod openings;
pub(crate) mod refusal;
mod succession;
pub mod term;
mod view;

pub use breaker::Breaker;
pub use delivery::{DeliveryEvent, DeliveryState, IllegalStep};
pub use forecast::{Ending, Stretch, StretchKind, Timeline};
pub use openings::{Opening, openings};
pub use view::{Mark, View, unserved};
