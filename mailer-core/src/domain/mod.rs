//! What is sent, to whom, under which rules, and what became of it: values that are right by construction.
//!
//! A host builds [`Campaign`], [`Message`], [`Content`] and [`Recipient`] from any text; the door (`submit`, `enqueue`)
//! parses them once into [`CampaignSpec`], [`MessageSpec`], [`Letter`] and [`Record`], or names every [`Fault`].

mod address;
mod campaign;
mod content;
mod deferral;
mod email;
pub(crate) mod fault;
mod id;
mod lane;
mod limit;
mod limit_error;
mod limit_kind;
mod limit_parse;
mod message;
mod outcome;
mod page;
mod policy;
mod reason;
mod recipient;
mod return_path;
mod scope;
mod span;
mod status;

pub use address::{Address, AddressError, Mailbox};
pub use campaign::{Campaign, CampaignSpec};
pub use content::{Content, Letter};
pub use deferral::Deferral;
pub use email::{Body, Draft, Email};
pub use fault::Fault;
pub use id::{CampaignId, ClaimId, IdError, WorkerId};
pub use lane::{Lane, LaneError, Lanes};
pub use limit::Limit;
pub use limit_error::LimitError;
pub use limit_kind::{LimitKind, PaceUnit, Unit};
pub use message::{Message, MessageSpec};
pub use outcome::{Failure, OnUnknown, OnUnknownError, Outcome};
pub use page::{Digest, PAGE_SIZE, decode_page, encode_page};
pub use policy::{Policy, PolicyError, StoredPolicy};
pub use reason::{HaltCause, Reason};
pub use recipient::{Recipient, Record};
pub use return_path::ReturnPath;
pub use scope::{RelayName, Scope, ScopeError, ScopeKind};
pub use span::{Span, SpanError};
pub use status::{CampaignState, Counts, Status};
