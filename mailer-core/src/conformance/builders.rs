//! What tests are made of: campaigns, mails, claims, settlements.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{
    Campaign, ClaimId, Content, Lanes, Message, OnUnknown, Reason, Recipient, Record, RelayName,
    Scope, WorkerId,
};
use crate::gate::{BeginBatch, BeginItem, Verdict};
use crate::queue::{Claim, Defer, Room, Settled, Settlement, Tick, Wait};
use crate::template::Template;

pub(super) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn campaign(id: &str) -> Campaign {
    Campaign::new(id)
        .from("Shop <news@shop.example>")
        .template(Template::new("s").text("t"))
}

pub(super) fn message(key: &str) -> Message {
    let content = Content::new()
        .from("shop@shop.example")
        .template(Template::new("s").text("t"));
    Message::new(key, content, Recipient::new("ann@example.com"))
}

pub(super) fn records(n: usize) -> Vec<Record> {
    (0..n)
        .map(|i| Recipient::new(format!("r{i}@example.com")).check().unwrap())
        .collect()
}

pub(super) fn claim_id(worker: u64, number: u64) -> ClaimId {
    ClaimId {
        worker: WorkerId(worker),
        number,
    }
}

/// A worker with the default relay and the composer of templates.
pub(super) fn room() -> Room {
    Room {
        relays: relays(&[RelayName::DEFAULT]),
        composers: vec![Template::COMPOSER.to_owned()],
        except: Vec::new(),
    }
}

/// Relays, each with room for every lane.
pub(super) fn relays(names: &[&str]) -> BTreeMap<RelayName, Lanes> {
    names.iter().map(|name| (relay(name), Lanes::ALL)).collect()
}

pub(super) fn relay(name: &str) -> RelayName {
    name.parse().unwrap()
}

pub(super) fn batch(
    policy_version: u64,
    claim: &Claim,
    call: u32,
    places: std::ops::Range<usize>,
) -> BeginBatch {
    let items = claim.deliveries[places]
        .iter()
        .map(|delivery| BeginItem {
            claim: claim.id,
            index: delivery.index,
            call,
            binding: Arc::clone(&claim.binding),
        })
        .collect();
    BeginBatch {
        policy_version,
        items,
    }
}

pub(super) fn settlement(claim: &Claim, place: usize, settled: Settled) -> Settlement {
    Settlement {
        claim: claim.id,
        index: claim.deliveries[place].index,
        settled,
        detail: String::new(),
    }
}

pub(super) fn defer(scope: Scope, reason: Reason, wait: Wait) -> Defer {
    Defer {
        scope,
        lane: None,
        reason,
        wait,
        detail: None,
        unless_sent_since: None,
        policy_version: None,
    }
}

pub(super) fn tick(worker: u64, claims: &[ClaimId]) -> Tick {
    Tick {
        worker: WorkerId(worker),
        relays: room().relays.into_keys().collect(),
        composers: room().composers,
        room: room(),
        claims: claims.to_vec(),
        next_within: Duration::from_millis(500),
        present: true,
    }
}

pub(super) fn went(verdicts: &[Verdict]) -> usize {
    verdicts.iter().filter(|verdict| is_go(verdict)).count()
}

pub(super) fn is_go(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Go { .. })
}

/// The deferral of a verdict that limits or hours refuse.
pub(super) fn limited(verdict: &Verdict) -> crate::domain::Deferral {
    match verdict {
        Verdict::Limited(deferral) => (**deferral).clone(),
        other => panic!("not limited: {other:?}"),
    }
}

pub(super) const ASSUME: Settled = Settled::Unknown {
    rule: OnUnknown::AssumeSent,
};

pub(super) fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}
