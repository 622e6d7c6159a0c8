//! The engine's decisions: what a worker does next, as a state machine without input or output.
//!
//! The driver tells it what has happened ([`Input`]) and carries out what it decides ([`Step`]). One call of each kind is
//! under way at a time; what becomes ready meanwhile joins the next one.

mod begin;
mod call;
mod claim;
mod hand;
mod mail;
mod outcome;
mod relay;
mod report;
mod scarcity;
mod settle;
mod step;
mod stop;
mod tick;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};

pub(in crate::engine) use self::call::backoff;
use self::call::{Call, StoreTime};
use self::hand::Hand;
use self::relay::Relay;
use self::scarcity::Scarcity;
pub(crate) use self::step::{Answer, Compose, Failing, Input, Send, Step, Verdicts};
use crate::domain::{ClaimId, HaltCause, RelayName, WorkerId};
use crate::engine::{Drained, Health};
use crate::observer::Event;
use crate::queue::{ClaimRequest, Room, Tick};
use crate::{Error, ErrorKind};

/// What a plan is made of.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) worker: WorkerId,
    pub(crate) composers: Vec<String>,
    /// Each relay's number of connections.
    pub(crate) relays: BTreeMap<RelayName, usize>,
    /// How often the store is asked while nothing is in hand.
    pub(crate) idle_tick: Duration,
    pub(crate) namespace: String,
}

/// How often leases are renewed while any is held.
const BUSY_TICK: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Plan {
    setup: Setup,
    relays: BTreeMap<RelayName, Relay>,
    connections: HashMap<u64, Connection>,
    hand: Hand,
    scarcity: Scarcity,
    time: StoreTime,
    policy_version: u64,
    tick: Call<Tick>,
    tick_at: Duration,
    claim: Call<ClaimRequest>,
    claim_at: Duration,
    /// The same as far as the claim that is under way may not know of it.
    look_again: Duration,
    /// What the store last said it had nothing for.
    nothing_for: Option<Room>,
    begin: Call<begin::Asked>,
    settle: Call<Verdicts>,
    settled: Verdicts,
    steps: VecDeque<Step>,
    events: Vec<Event>,
    next_number: u64,
    store_error: Option<String>,
    /// The store has lost what it had confirmed: nothing more is asked of it.
    rolled_back: bool,
    stopping: Option<Stopping>,
}

#[derive(Debug)]
struct Connection {
    relay: RelayName,
    /// By the store's clock: when its attempt to connect began.
    since: DateTime<Utc>,
    /// By the worker's: the same.
    opened_at: Duration,
    /// Whether it has carried a mail to an outcome.
    carried: bool,
    /// How many mails it has begun and not brought to an end.
    in_flight: usize,
}

/// What a stopping worker counts.
#[derive(Debug, Default, Clone, Copy)]
struct Stopping {
    finished: u64,
    released: u64,
    in_doubt: u64,
    said_goodbye: bool,
}

impl Plan {
    pub(crate) fn new(setup: Setup, now: Duration, store_now: DateTime<Utc>) -> Self {
        let relays = setup
            .relays
            .iter()
            .map(|(name, max)| (name.clone(), Relay::new(*max)))
            .collect();
        Self {
            setup,
            relays,
            connections: HashMap::new(),
            hand: Hand::default(),
            scarcity: Scarcity::default(),
            time: StoreTime::new(store_now, now, now),
            policy_version: 0,
            tick: Call::new(),
            tick_at: now,
            claim: Call::new(),
            claim_at: now,
            look_again: Duration::MAX,
            nothing_for: None,
            begin: Call::new(),
            settle: Call::new(),
            settled: Verdicts::default(),
            steps: VecDeque::new(),
            events: Vec::new(),
            next_number: 1,
            store_error: None,
            rolled_back: false,
            stopping: None,
        }
    }

    /// Takes in what has happened.
    pub(crate) fn take(&mut self, now: Duration, input: Input) {
        match input {
            Input::Ticked(answer) => self.ticked(now, answer),
            Input::Claimed(answer) => self.claimed(now, answer),
            Input::Composed {
                letter,
                flights,
                result,
            } => self.composed(&letter, flights, result),
            Input::Began(answer) => self.began(now, answer),
            Input::Settled(answer) => self.settle_answered(now, answer),
            Input::Halted(halt, result) => self.halted(halt, result),
            Input::Failing(failing, result) => self.failing_answered(failing, result),
            Input::Report(report) => self.report(now, report),
            Input::Poked => {
                self.look(now);
                self.tick_at = now;
            }
        }
    }

    /// The next thing to do. To be asked until there is none.
    pub(crate) fn next_step(&mut self, now: Duration) -> Option<Step> {
        if self.rolled_back {
            self.forget_steps();
            return self.next_close();
        }
        if let Some(step) = self.steps.pop_front() {
            return Some(step);
        }
        self.next_tick(now)
            .or_else(|| self.next_settle(now))
            .or_else(|| self.next_begin(now))
            .or_else(|| self.next_connect(now))
            .or_else(|| self.next_claim(now))
            .or_else(|| self.next_close())
    }

    /// Nothing that was still to be done is done any more: what was about to be sent is not.
    fn forget_steps(&mut self) {
        while let Some(step) = self.steps.pop_front() {
            if let Step::Send(send) = step {
                self.hand.drop_mail(send.flight);
            }
        }
    }

    /// Until when there is nothing to do, if nothing happens.
    pub(crate) fn sleep_until(&self, now: Duration) -> Duration {
        let calls = [
            self.tick.again_at(),
            self.claim.again_at(),
            self.begin.again_at(),
            self.settle.again_at(),
        ];
        let relays = self
            .relays
            .values()
            .map(|relay| relay.closed_until)
            .filter(|until| *until > now);
        calls
            .into_iter()
            .flatten()
            .chain(self.hand.next_ready(now, &self.scarcity))
            .chain(relays)
            .chain((self.stopping.is_none() && self.claim.is_free()).then_some(self.claim_at))
            .chain(self.tick.is_free().then_some(self.tick_at))
            .filter(|at| *at > now)
            .min()
            .unwrap_or(now + BUSY_TICK)
    }

    /// Whether nothing is in hand, nothing is under way, and nothing is due.
    pub(crate) fn is_idle(&self, now: Duration) -> bool {
        self.is_at_rest() && self.nothing_for.is_some() && self.claim_at > now
    }

    /// Whether nothing is in hand, and the ledger knows of everything.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.hand.is_empty()
            && self.steps.is_empty()
            && self.settled.settlements.is_empty()
            && self.settled.defers.is_empty()
            && self.settle.is_free()
            && self.begin.is_free()
            && self.claim.is_free()
    }

    /// What has happened for observers to hear.
    pub(crate) fn events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    pub(crate) fn health(&self) -> Health {
        let (waiting, in_flight) = self.hand.census();
        Health {
            running: true,
            store_error: self.store_error.clone(),
            store_warnings: Vec::new(),
            waiting,
            in_flight,
            relays: self
                .relays
                .iter()
                .map(|(name, relay)| (name.clone(), relay.health()))
                .collect(),
        }
    }

    /// Stops claiming, and gives back what has not begun.
    pub(crate) fn stop(&mut self, now: Duration) {
        if self.stopping.is_none() {
            self.stopping = Some(Stopping::default());
            self.tick_at = now;
            let waiting = self.hand.waiting(|_| true);
            self.release(&waiting);
        }
    }

    /// The time for what is in flight is over: nobody knows what becomes of it.
    pub(crate) fn abandon(&mut self) {
        for flight in self.hand.flying() {
            let lost = crate::domain::Outcome::Unknown {
                reply: "the worker stopped before the relay replied".to_owned(),
            };
            self.finished(flight, lost);
            if let Some(stopping) = &mut self.stopping {
                stopping.in_doubt += 1;
                stopping.finished = stopping.finished.saturating_sub(1);
            }
        }
    }

    /// Whether all is told to the ledger, and the store knows that this worker is gone.
    pub(crate) fn is_stopped(&self) -> bool {
        if self.rolled_back {
            return self.hand.flying().is_empty();
        }
        self.stopping.is_some_and(|stopping| stopping.said_goodbye)
            && self.is_at_rest()
            && self.tick.is_free()
    }

    /// The counts of a stop.
    pub(crate) fn drained(&self) -> Drained {
        let stopping = self.stopping.unwrap_or_default();
        Drained {
            finished: stopping.finished,
            released: stopping.released,
            in_doubt: stopping.in_doubt,
            untold: self.untold(),
            stopped_by: self.rolled_back.then_some(HaltCause::StoreRolledBack),
        }
    }

    /// Whether it must stop by itself.
    pub(crate) fn must_stop(&self) -> bool {
        self.rolled_back && self.stopping.is_none()
    }

    fn store_failed(&mut self, error: Option<Error>) {
        if let Some(error) = error {
            self.rolled_back |= error.kind() == ErrorKind::RolledBack;
            self.store_error = Some(error.to_string());
            self.events.push(Event::StoreFailed {
                detail: error.to_string(),
            });
        }
    }

    fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn claim_id(&mut self) -> ClaimId {
        ClaimId {
            worker: self.setup.worker,
            number: self.number(),
        }
    }
}
