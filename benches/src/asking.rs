//! What is asked of a store directly, without an engine.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use mailer_core::domain::{ClaimId, Lanes, Reason, Scope, WorkerId};
use mailer_core::gate::BeginItem;
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Defer, DeferQueue, Room, Settled, Settlement, Tick, Wait,
};
use mailer_core::template::Template;

use crate::Failure;

/// A worker that serves the default relay.
///
/// # Errors
/// None: the name is legal.
pub fn room() -> Result<Room, Failure> {
    Ok(Room {
        relays: BTreeMap::from([("default".parse()?, Lanes::ALL)]),
        composers: vec![Template::COMPOSER.to_owned()],
        except: Vec::new(),
    })
}

/// Leases a page, as the worker's claim of this number.
///
/// # Errors
/// If there is nothing to claim, or the store does not answer.
pub async fn claim(store: &dyn DeferQueue, worker: u64, number: u64) -> Result<Claim, Failure> {
    let worker = WorkerId(worker);
    let id = ClaimId { worker, number };
    let room = room()?;
    match store.claim(&ClaimRequest { id, room }).await? {
        ClaimReply::Claimed(claim) => Ok(claim),
        ClaimReply::Nothing { .. } => Err("there is nothing to claim".into()),
    }
}

/// These deliveries of each of the claims, as the `call`th call of each.
#[must_use]
pub fn items(claims: &[Claim], which: Range<usize>, call: usize) -> Vec<BeginItem> {
    let mut items = Vec::new();
    for claim in claims {
        for delivery in claim.deliveries.get(which.clone()).unwrap_or_default() {
            items.push(BeginItem {
                claim: claim.id,
                index: delivery.index,
                call: u32::try_from(call).unwrap_or(u32::MAX),
                binding: claim.binding.clone(),
            });
        }
    }
    items
}

/// That they were sent.
#[must_use]
pub fn settlements(items: &[BeginItem]) -> Vec<Settlement> {
    let sent = |item: &BeginItem| Settlement {
        claim: item.claim,
        index: item.index,
        settled: Settled::Sent,
        detail: "250 2.0.0 Ok".to_owned(),
    };
    items.iter().map(sent).collect()
}

/// A sign of life of the worker that has these claims.
///
/// # Errors
/// None: the name of the relay is legal.
pub fn tick(claims: &[Claim]) -> Result<Tick, Failure> {
    let room = room()?;
    Ok(Tick {
        worker: claims.first().map_or(WorkerId(0), |claim| claim.id.worker),
        relays: room.relays.keys().cloned().collect(),
        composers: room.composers.clone(),
        room,
        claims: claims.iter().map(|claim| claim.id).collect(),
        next_within: Duration::from_millis(500),
        present: true,
    })
}

/// A wait of a campaign after trouble.
#[must_use]
pub fn defer(campaign: &str, wait: Duration) -> Defer {
    Defer {
        scope: Scope::Campaign(campaign.to_owned()),
        lane: None,
        reason: Reason::TransientError,
        wait: Wait::For(wait),
        detail: None,
        unless_sent_since: None,
        policy_version: None,
    }
}
