use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::StreamId;
use crate::domain::{ClaimId, Lanes, Letter, OnUnknown, Record, RelayName};
use crate::gate::Binding;

/// What a worker asks for.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct ClaimRequest {
    /// Made by the caller. Asked again with the same id, the same page comes back.
    pub id: ClaimId,
    /// What it can serve at this moment.
    pub room: Room,
}

/// What a worker can serve at this moment.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Room {
    /// Through these relays, each for the lanes that have room.
    pub relays: BTreeMap<RelayName, Lanes>,
    /// Made by these composers.
    pub composers: Vec<String>,
    /// But not of these streams: it has enough of them in hand.
    pub except: Vec<StreamId>,
}

/// What the store gives.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "callers match both")]
pub enum ClaimReply {
    /// A page.
    Claimed(Claim),
    /// Nothing is due that this worker can serve.
    Nothing {
        /// The next instant at which there may be. None: nothing waits for a known instant.
        next_due: Option<DateTime<Utc>>,
        /// The store's clock.
        server_now: DateTime<Utc>,
    },
}

/// A leased page: deliveries of one stream that this worker alone may start.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Claim {
    /// The caller's id.
    pub id: ClaimId,
    /// Grows with every claim of the store: for fencing elsewhere.
    pub token: u64,
    /// Whose page, and the rules that bind it.
    pub binding: Arc<Binding>,
    /// The store's clock.
    pub server_now: DateTime<Utc>,
    /// The deliveries that are due.
    pub deliveries: Vec<ClaimedDelivery>,
}

/// One delivery of a claim.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct ClaimedDelivery {
    /// Its place in the page: its name within the claim.
    pub index: u16,
    /// Who gets it.
    pub record: Record,
    /// What it says. Deliveries of one campaign share one letter.
    pub letter: Arc<Letter>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The date of the attempt that this may repeat, if one is in doubt: the mail must carry the same.
    pub repeats: Option<DateTime<Utc>>,
    /// What becomes of it if nobody knows whether it was sent.
    pub on_unknown: OnUnknown,
}
