//! What is sent, to whom, under which rules, and what became of it: values that are right by construction.

mod lane;
mod limit;
mod limit_error;
mod limit_kind;
mod limit_parse;
mod scope;

pub use lane::{Lane, LaneError, Lanes};
pub use limit::Limit;
pub use limit_error::LimitError;
pub use limit_kind::{LimitKind, PaceUnit, Unit};
pub use scope::{RelayName, Scope, ScopeError, ScopeKind};
