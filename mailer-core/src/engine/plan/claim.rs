//! Taking pages in hand, and having their mails made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::call::StoreTime;
use super::{Answer, Compose, Plan, Step};
use crate::composer::{ComposeError, Composed};
use crate::domain::{Failure, HaltCause, Lane, Lanes, Letter, Reason, RelayName, ScopeKind};
use crate::observer::Event;
use crate::queue::{Claim, ClaimReply, ClaimRequest, Defer, Room, Settled, Wait};

/// The least number of mails kept in hand for a relay's lane.
const PREFETCH: usize = 64;

impl Plan {
    pub(super) fn next_claim(&mut self, now: Duration) -> Option<Step> {
        if let Some(request) = self.claim.again(now) {
            return Some(Step::Claim(request));
        }
        if self.stopping.is_some() || !self.claim.is_free() {
            return None;
        }
        let room = self.room(now);
        let news = match &self.nothing_for {
            Some(before) => {
                let more_lanes = room.relays.iter().any(|(relay, lanes)| {
                    let asked = before.relays.get(relay).copied().unwrap_or(Lanes::NONE);
                    lanes.iter().any(|lane| !asked.contains(lane))
                });
                // A paced stream was left out while its mails waited in hand: the last of them has gone.
                let mut left_out = before.except.iter();
                more_lanes || left_out.any(|stream| !self.hand.has_ready(stream))
            }
            None => false,
        };
        if room.relays.is_empty() || (now < self.claim_at && !news) {
            return None;
        }
        let request = ClaimRequest {
            id: self.claim_id(),
            room,
        };
        Some(Step::Claim(self.claim.ask(request)))
    }

    /// There may be something to claim at that time. A claim that is under way may have been answered before.
    pub(super) fn look(&mut self, at: Duration) {
        self.claim_at = self.claim_at.min(at);
        if !self.claim.is_free() {
            self.look_again = self.look_again.min(at);
        }
    }

    /// What can be served at this moment: each relay that is not closed, for the lanes of which not enough is in hand.
    pub(super) fn room(&self, now: Duration) -> Room {
        let paced = self.hand.paced(now, &self.scarcity);
        let backlog = self.hand.backlog(&paced);
        let lanes_of = |name: &RelayName, max: usize| {
            Lane::ALL.into_iter().fold(Lanes::NONE, |lanes, lane| {
                let held = backlog.get(&(name.clone(), lane)).copied().unwrap_or(0);
                if held < (2 * max).max(PREFETCH) {
                    lanes.with(lane)
                } else {
                    lanes
                }
            })
        };
        let relays: BTreeMap<RelayName, Lanes> = self
            .relays
            .iter()
            .filter(|(_, relay)| relay.closed_until <= now)
            .map(|(name, relay)| (name.clone(), lanes_of(name, relay.max())))
            .filter(|(_, lanes)| *lanes != Lanes::NONE)
            .collect();
        Room {
            relays,
            composers: self.setup.composers.clone(),
            except: paced.into_iter().cloned().collect(),
        }
    }

    pub(super) fn claimed(&mut self, now: Duration, answer: Answer<ClaimReply>) {
        let (asked, reply) = match self.claim.answered(now, answer.result) {
            Ok(pair) => pair,
            Err(error) => return self.store_failed(error),
        };
        match reply {
            ClaimReply::Claimed(claim) => {
                self.time = StoreTime::new(claim.server_now, answer.asked_at, now);
                // What came is of the first lane that had anything: those before it have nothing, until a tick says otherwise.
                self.nothing_for = Some(before(asked.room, claim.binding.lane));
                self.claim_at = Duration::MAX;
                self.take_up(now, claim);
            }
            ClaimReply::Nothing {
                next_due,
                server_now,
            } => {
                self.time = StoreTime::new(server_now, answer.asked_at, now);
                self.nothing_for = Some(asked.room);
                self.claim_at = next_due.map_or(Duration::MAX, |due| {
                    self.time.wake(due).max(now + Duration::from_millis(1))
                });
            }
        }
        let again = std::mem::replace(&mut self.look_again, Duration::MAX);
        self.claim_at = self.claim_at.min(again);
        if again <= now {
            self.nothing_for = None;
        }
    }

    fn take_up(&mut self, now: Duration, claim: Claim) {
        self.events.push(Event::Claimed {
            stream: claim.binding.stream.clone(),
            count: claim.deliveries.len(),
        });
        let flights = self.hand.take_up(claim, &mut self.next_number);
        // The relay may have failed while the claim was under way.
        let relay_is_closed = flights
            .first()
            .and_then(|flight| self.hand.mail(*flight))
            .and_then(|mail| self.relays.get(&mail.binding.relay))
            .is_none_or(|relay| relay.closed_until > now);
        if self.stopping.is_some() || relay_is_closed {
            return self.release(&flights);
        }
        // Deliveries that share a letter are composed together.
        let mut groups: Vec<Compose> = Vec::new();
        for flight in flights {
            let Some(mail) = self.hand.mail(flight) else {
                continue;
            };
            let delivery = &mail.delivery;
            let record = delivery.record.clone();
            match groups
                .iter_mut()
                .find(|group| Arc::ptr_eq(&group.letter, &delivery.letter))
            {
                Some(group) => {
                    group.flights.push(flight);
                    group.records.push(record);
                }
                None => groups.push(Compose {
                    letter: Arc::clone(&delivery.letter),
                    flights: vec![flight],
                    records: vec![record],
                }),
            }
        }
        for group in groups {
            if self.setup.composers.contains(&group.letter.composer) {
                self.steps.push_back(Step::Compose(group));
            } else {
                // A single mail names its own composer; a campaign's was part of the claim.
                let why = format!("no composer {:?} is registered here", group.letter.composer);
                for flight in group.flights {
                    self.settle(flight, Settled::Failed(Failure::Compose), why.clone());
                }
            }
        }
    }

    pub(super) fn composed(
        &mut self,
        letter: &Arc<Letter>,
        flights: Vec<u64>,
        result: Result<Vec<Composed>, ComposeError>,
    ) {
        match result {
            Ok(made) if made.len() == flights.len() => {
                for (flight, composed) in flights.into_iter().zip(made) {
                    match composed {
                        Composed::Mail(draft) => self.hand.composed(flight, draft),
                        Composed::Skip(why) => self.settle(flight, Settled::Skipped, why),
                        Composed::Suppressed => {
                            self.settle(flight, Settled::Suppressed, String::new());
                        }
                        Composed::Failed(why) => {
                            self.settle(flight, Settled::Failed(Failure::Compose), why);
                        }
                    }
                }
            }
            Ok(made) => {
                let why = format!(
                    "the composer {:?} made {} mails for {} recipients",
                    letter.composer,
                    made.len(),
                    flights.len()
                );
                self.cannot_compose(&flights, &why);
            }
            Err(ComposeError::Halt(why)) => self.cannot_compose(&flights, &why),
            Err(ComposeError::Retry { after, detail }) => {
                let binding = flights
                    .first()
                    .and_then(|flight| self.hand.mail(*flight))
                    .map(|mail| Arc::clone(&mail.binding));
                if let Some(binding) = binding {
                    self.settled.defers.push(Defer {
                        scope: binding.scope(ScopeKind::Campaign),
                        lane: None,
                        reason: Reason::ComposeUnavailable,
                        wait: Wait::For(after),
                        detail: Some(detail),
                        unless_sent_since: None,
                        policy_version: None,
                    });
                }
                self.release(&flights);
            }
        }
    }

    fn cannot_compose(&mut self, flights: &[u64], why: &str) {
        self.stop_streams(flights, &HaltCause::ComposeFailed, why, None);
    }
}

/// The same room for the lanes that go before this one.
fn before(mut room: Room, lane: Lane) -> Room {
    for lanes in room.relays.values_mut() {
        let earlier = lanes.iter().filter(|one| *one < lane);
        *lanes = earlier.fold(Lanes::NONE, Lanes::with);
    }
    room
}
