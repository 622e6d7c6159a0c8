//! Telling the ledger.

use std::time::Duration;

use super::call::StoreTime;
use super::outcome::consequence;
use super::stop::event_of;
use super::{Answer, Plan, Step};
use crate::domain::{Deferral, Outcome, Scope};
use crate::observer::Event;
use crate::queue::{SettleReply, Settled, Settlement};

impl Plan {
    pub(super) fn next_settle(&mut self, now: Duration) -> Option<Step> {
        if let Some(verdicts) = self.settle.again(now) {
            return Some(Step::Settle(verdicts));
        }
        let nothing = self.settled.settlements.is_empty() && self.settled.defers.is_empty();
        if nothing || !self.settle.is_free() {
            return None;
        }
        let verdicts = std::mem::take(&mut self.settled);
        Some(Step::Settle(self.settle.ask(verdicts)))
    }

    /// How many mails are out of hand, and the ledger does not know it, as far as this worker has heard.
    pub(super) fn untold(&self) -> u64 {
        let asked = self.settle.asked();
        let asked = asked.map_or(0, |verdicts| verdicts.settlements.len());
        (asked + self.settled.settlements.len()) as u64
    }

    pub(super) fn settle_answered(&mut self, now: Duration, answer: Answer<SettleReply>) {
        let (asked, reply) = match self.settle.answered(now, answer.result) {
            Ok(pair) => pair,
            Err(error) => return self.store_failed(error),
        };
        self.time = StoreTime::new(reply.server_now, answer.asked_at, now);
        for deferral in reply.deferrals.into_iter().flatten() {
            self.waits_in_store(now, &deferral);
            self.events.push(Event::Deferred(deferral));
        }
        for halt in reply.halted {
            let rest = self.hand.waiting(|mail| mail.binding.stream == halt.stream);
            self.release(&rest);
            self.events.push(event_of(halt));
        }
        // What went back to its place may be due at once, for this worker too.
        let went_back = asked.settlements.iter().any(|settlement| {
            matches!(
                settlement.settled,
                Settled::NotStarted
                    | Settled::Returned
                    | Settled::Troubled
                    | Settled::Retry { .. }
                    | Settled::Unknown { .. }
            )
        });
        if went_back {
            self.look(now);
        }
    }

    /// Once the store makes everybody wait for a relay, this worker need not by itself.
    fn waits_in_store(&mut self, now: Duration, deferral: &Deferral) {
        if let Scope::Relay(name) = &deferral.scope
            && deferral.holds(self.time.at(now))
            && let Some(relay) = self.relays.get_mut(name)
        {
            relay.closed_until = now;
        }
    }

    /// A mail's outcome is told to the ledger, and the mail put out of hand.
    pub(super) fn finished(&mut self, flight: u64, outcome: Outcome) {
        self.tell_finished(flight, outcome.code());
        let Some(mail) = self.hand.mail(flight) else {
            return;
        };
        let consequence = consequence(outcome, mail.delivery.on_unknown);
        self.settle(flight, consequence.settled, consequence.detail);
    }

    pub(super) fn tell_finished(&mut self, flight: u64, outcome: &'static str) {
        if let Some(mail) = self.hand.mail(flight) {
            if let Some(stopping) = &mut self.stopping {
                stopping.finished += 1;
            }
            self.events.push(Event::Finished {
                stream: mail.binding.stream.clone(),
                key: mail.delivery.record.key().to_owned(),
                outcome,
            });
        }
    }

    /// Gives back mails that have not begun.
    pub(super) fn release(&mut self, flights: &[u64]) {
        for flight in flights {
            if let Some(stopping) = &mut self.stopping {
                stopping.released += 1;
            }
            self.settle(*flight, Settled::NotStarted, String::new());
        }
    }

    pub(super) fn settle(&mut self, flight: u64, settled: Settled, detail: String) {
        if let Some(mail) = self.hand.drop_mail(flight) {
            self.settled.settlements.push(Settlement {
                claim: mail.claim,
                index: mail.delivery.index,
                settled,
                detail,
            });
        }
    }
}
