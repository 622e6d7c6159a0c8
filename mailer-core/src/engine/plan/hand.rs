//! What a worker has in hand: claims, and their mails.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::mail::{Mail, Stage};
use super::scarcity::{Allotment, Scarcity};
use crate::domain::{ClaimId, Deferral, Draft, Lane, RelayName};
use crate::gate::{BeginItem, Binding};
use crate::queue::{Claim, StreamId};

/// The claims of a worker and their mails.
#[derive(Debug, Default)]
pub(super) struct Hand {
    claims: HashMap<ClaimId, Held>,
    mails: HashMap<u64, Mail>,
    queues: BTreeMap<(Lane, StreamId), Queue>,
}

/// A claim in hand.
#[derive(Debug)]
struct Held {
    binding: Arc<Binding>,
    calls: u32,
    mails: BTreeSet<u64>,
    /// How many of them the gate has not been asked for: counted along, because the plan looks at it after every event.
    waiting: usize,
}

/// The composed mails of a stream, in their order.
#[derive(Debug)]
struct Queue {
    binding: Arc<Binding>,
    ready: VecDeque<u64>,
}

impl Hand {
    pub(super) fn take_up(&mut self, claim: Claim, next: &mut u64) -> Vec<u64> {
        let mut flights = Vec::with_capacity(claim.deliveries.len());
        for delivery in claim.deliveries {
            let flight = *next;
            *next += 1;
            flights.push(flight);
            self.mails.insert(
                flight,
                Mail {
                    claim: claim.id,
                    binding: Arc::clone(&claim.binding),
                    delivery,
                    stage: Stage::Composing,
                },
            );
        }
        self.claims.insert(
            claim.id,
            Held {
                binding: claim.binding,
                calls: 0,
                mails: flights.iter().copied().collect(),
                waiting: flights.len(),
            },
        );
        flights
    }

    pub(super) fn mail(&self, flight: u64) -> Option<&Mail> {
        self.mails.get(&flight)
    }

    pub(super) fn composed(&mut self, flight: u64, draft: Draft) {
        let Some(mail) = self.mails.get_mut(&flight) else {
            return;
        };
        if !matches!(mail.stage, Stage::Composing) {
            return;
        }
        mail.stage = Stage::Ready(draft);
        queue_of(&mut self.queues, mail).push_back(flight);
    }

    /// Takes up to `count` composed mails of a relay, and no more than are allotted: by lane, then one of each stream in
    /// turn.
    pub(super) fn draw(
        &mut self,
        relay: &RelayName,
        count: usize,
        allotment: &mut Allotment<'_>,
    ) -> Vec<u64> {
        let mut drawn = Vec::new();
        for lane in Lane::ALL {
            loop {
                let before = drawn.len();
                for (_, queue) in self
                    .queues
                    .iter_mut()
                    .filter(|((of, _), _)| *of == lane)
                    .filter(|(_, queue)| queue.binding.relay == *relay)
                {
                    if drawn.len() < count
                        && !queue.ready.is_empty()
                        && allotment.take(&queue.binding, 1) == 1
                    {
                        drawn.extend(queue.ready.pop_front());
                    }
                }
                if drawn.len() == before || drawn.len() >= count {
                    break;
                }
            }
        }
        self.queues.retain(|_, queue| !queue.ready.is_empty());
        for flight in &drawn {
            if let Some(mail) = self.mails.get_mut(flight)
                && let Stage::Ready(draft) = std::mem::replace(&mut mail.stage, Stage::Composing)
            {
                mail.stage = Stage::Beginning(draft);
                if let Some(held) = self.claims.get_mut(&mail.claim) {
                    held.waiting -= 1;
                }
            }
        }
        drawn
    }

    /// What the gate is asked for drawn mails: one numbered call per claim.
    pub(super) fn items(&mut self, flights: &[u64]) -> Vec<BeginItem> {
        let mut called = BTreeSet::new();
        flights
            .iter()
            .filter_map(|flight| {
                let mail = self.mails.get(flight)?;
                let held = self.claims.get_mut(&mail.claim)?;
                if called.insert(mail.claim) {
                    held.calls += 1;
                }
                Some(BeginItem {
                    claim: mail.claim,
                    index: mail.delivery.index,
                    call: held.calls,
                    binding: Arc::clone(&held.binding),
                })
            })
            .collect()
    }

    /// The gate said go: the draft, to be handed to a connection.
    pub(super) fn fly(
        &mut self,
        flight: u64,
        begun_at: DateTime<Utc>,
        connection: Option<u64>,
    ) -> Option<(&Mail, Draft)> {
        let mail = self.mails.get_mut(&flight)?;
        match std::mem::replace(&mut mail.stage, Stage::Flying(begun_at, connection)) {
            Stage::Beginning(draft) => Some((mail, draft)),
            Stage::Composing | Stage::Ready(_) | Stage::Flying(..) | Stage::Failing { .. } => None,
        }
    }

    /// The gate said not yet: back to where it was.
    pub(super) fn put_back(&mut self, flight: u64) {
        let Some(mail) = self.mails.get_mut(&flight) else {
            return;
        };
        if let Stage::Beginning(draft) = std::mem::replace(&mut mail.stage, Stage::Composing) {
            mail.stage = Stage::Ready(draft);
            if let Some(held) = self.claims.get_mut(&mail.claim) {
                held.waiting += 1;
            }
        }
        queue_of(&mut self.queues, mail).push_front(flight);
    }

    pub(super) fn drop_mail(&mut self, flight: u64) -> Option<Mail> {
        self.wait_no_more(flight);
        let mail = self.mails.remove(&flight)?;
        if let Some(held) = self.claims.get_mut(&mail.claim) {
            held.mails.remove(&flight);
            if held.mails.is_empty() {
                self.claims.remove(&mail.claim);
            }
        }
        Some(mail)
    }

    /// The mail fails, unless the store says that others get mails through.
    pub(super) fn is_failing(&mut self, flight: u64) {
        self.wait_no_more(flight);
        if let Some(mail) = self.mails.get_mut(&flight) {
            let has_begun = mail.has_begun();
            mail.stage = Stage::Failing { has_begun };
        }
    }

    /// Takes a mail out of those that are to be composed or to begin.
    fn wait_no_more(&mut self, flight: u64) {
        let Some(mail) = self.mails.get(&flight).filter(|mail| mail.is_waiting()) else {
            return;
        };
        if let Some(held) = self.claims.get_mut(&mail.claim) {
            held.waiting -= 1;
        }
        if matches!(mail.stage, Stage::Ready(_))
            && let Some(queue) = self
                .queues
                .get_mut(&(mail.binding.lane, mail.binding.stream.clone()))
        {
            queue.ready.retain(|other| *other != flight);
        }
    }

    /// Mails that have not begun and that the gate is not being asked for, of whom `of` says yes.
    pub(super) fn waiting(&self, of: impl Fn(&Mail) -> bool) -> Vec<u64> {
        let mut flights: Vec<u64> = self
            .mails
            .iter()
            .filter(|(_, mail)| mail.is_waiting() && of(mail))
            .map(|(flight, _)| *flight)
            .collect();
        flights.sort_unstable();
        flights
    }

    pub(super) fn flying(&self) -> Vec<u64> {
        self.mails
            .iter()
            .filter(|(_, mail)| matches!(mail.stage, Stage::Flying(..)))
            .map(|(flight, _)| *flight)
            .collect()
    }

    /// Whether the mail is bound by the scope and lane of a deferral.
    pub(super) fn is_deferred_by(mail: &Mail, deferral: &Deferral) -> bool {
        deferral.lane.is_none_or(|lane| lane == mail.binding.lane)
            && mail.binding.scope(deferral.scope.kind()) == deferral.scope
    }

    pub(super) fn claims(&self) -> Vec<ClaimId> {
        let mut claims: Vec<ClaimId> = self.claims.keys().copied().collect();
        claims.sort_unstable();
        claims
    }

    /// The mails of a claim that is not this worker's any more and that have not begun.
    pub(super) fn lose_claim(&mut self, claim: ClaimId) {
        let lost = self.waiting(|mail| mail.claim == claim);
        for flight in lost {
            self.drop_mail(flight);
        }
    }

    /// How many wait, and how many are in flight.
    pub(super) fn census(&self) -> (usize, usize) {
        let flying = self.flying().len();
        (self.mails.len() - flying, flying)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mails.is_empty()
    }

    pub(super) fn holds_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    /// How many composed mails of a relay are allotted.
    pub(super) fn ready(&self, relay: &RelayName, mut allotment: Allotment<'_>) -> usize {
        self.queues
            .values()
            .filter(|queue| queue.binding.relay == *relay)
            .map(|queue| allotment.take(&queue.binding, queue.ready.len()))
            .sum()
    }

    /// How many mails of a relay and lane wait in hand, those of paced streams aside.
    pub(super) fn backlog(
        &self,
        paced: &BTreeSet<&StreamId>,
    ) -> BTreeMap<(RelayName, Lane), usize> {
        let mut backlog = BTreeMap::new();
        for held in self.claims.values() {
            let binding = &held.binding;
            if !paced.contains(&binding.stream) {
                *backlog
                    .entry((binding.relay.clone(), binding.lane))
                    .or_insert(0) += held.waiting;
            }
        }
        backlog
    }

    /// Streams that wait for a moment, with mails in hand, while others go on.
    pub(super) fn paced(&self, now: Duration, scarcity: &Scarcity) -> BTreeSet<&StreamId> {
        self.queues
            .iter()
            .filter(|(_, queue)| !queue.ready.is_empty() && scarcity.is_paced(&queue.binding, now))
            .map(|((_, stream), _)| stream)
            .collect()
    }

    /// Whether composed mails of a stream wait in hand.
    pub(super) fn has_ready(&self, stream: &StreamId) -> bool {
        self.queues
            .iter()
            .any(|((_, other), queue)| other == stream && !queue.ready.is_empty())
    }

    /// When the first short wait ends.
    pub(super) fn next_ready(&self, now: Duration, scarcity: &Scarcity) -> Option<Duration> {
        self.queues
            .values()
            .filter(|queue| !queue.ready.is_empty())
            .map(|queue| scarcity.not_before(&queue.binding))
            .filter(|at| *at > now)
            .min()
    }
}

fn queue_of<'a>(
    queues: &'a mut BTreeMap<(Lane, StreamId), Queue>,
    mail: &Mail,
) -> &'a mut VecDeque<u64> {
    let key = (mail.binding.lane, mail.binding.stream.clone());
    let queue = queues.entry(key).or_insert_with(|| Queue {
        binding: Arc::clone(&mail.binding),
        ready: VecDeque::new(),
    });
    &mut queue.ready
}
