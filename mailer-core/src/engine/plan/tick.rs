//! Signs of life, and what the store has to tell.

use std::time::Duration;

use super::call::StoreTime;
use super::{Answer, BUSY_TICK, Plan, Step};
use crate::queue::{Tick, TickReply};

impl Plan {
    pub(super) fn next_tick(&mut self, now: Duration) -> Option<Step> {
        if let Some(tick) = self.tick.again(now) {
            return Some(Step::Tick(tick));
        }
        let leaving =
            self.stopping.is_some_and(|stopping| !stopping.said_goodbye) && self.is_at_rest();
        if !self.tick.is_free() || (now < self.tick_at && !leaving) {
            return None;
        }
        if self.stopping.is_some_and(|stopping| stopping.said_goodbye) {
            return None;
        }
        let interval = if self.hand.holds_claims() {
            BUSY_TICK
        } else {
            self.setup.idle_tick
        };
        self.tick_at = now.saturating_add(interval);
        let tick = Tick {
            worker: self.setup.worker,
            relays: self.setup.relays.keys().cloned().collect(),
            composers: self.setup.composers.clone(),
            room: self.room(now),
            claims: self.hand.claims(),
            next_within: interval,
            present: !leaving,
        };
        Some(Step::Tick(self.tick.ask(tick)))
    }

    pub(super) fn ticked(&mut self, now: Duration, answer: Answer<TickReply>) {
        let (asked, reply) = match self.tick.answered(now, answer.result) {
            Ok(pair) => pair,
            Err(error) => return self.store_failed(error),
        };
        if !asked.present
            && let Some(stopping) = &mut self.stopping
        {
            stopping.said_goodbye = true;
        }
        self.time = StoreTime::new(reply.server_now, answer.asked_at, now);
        self.store_error = None;
        self.learn_policy(now, reply.policy_version);
        for claim in reply.lost {
            self.hand.lose_claim(claim);
        }
        if let Some(due) = reply.next_due {
            self.look(self.time.wake(due));
        }
    }

    /// A new policy ends the waits of the old one: what waits in the store is asked for at once.
    pub(super) fn learn_policy(&mut self, now: Duration, version: u64) {
        if version != self.policy_version {
            self.policy_version = version;
            self.scarcity.forget();
            self.look(now);
        }
    }
}
