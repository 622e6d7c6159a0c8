//! Taking what became of deliveries.

use chrono::{DateTime, Utc};

use super::claim::Begun;
use super::page::Doubt;
use super::state::{State, later};
use crate::domain::{ClaimId, Failure, OnUnknown, Policy, ScopeKind};
use crate::queue::{Defer, SettleReply, SettleResult, Settled, Settlement, StreamId};
use crate::schedule::term::{DOT_WITHIN, MOST_DOUBTS, REPLY_WITHIN};
use crate::schedule::{DeliveryEvent, DeliveryState};

impl State {
    pub(super) fn settle(
        &mut self,
        now: DateTime<Utc>,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> SettleReply {
        let results = settlements
            .iter()
            .map(|settlement| self.settle_one(now, settlement))
            .collect();
        let deferrals = defers.iter().map(|defer| self.defer(now, defer)).collect();
        SettleReply {
            deferrals,
            results,
            server_now: now,
        }
    }

    fn settle_one(&mut self, now: DateTime<Utc>, settlement: &Settlement) -> SettleResult {
        let Some(lease) = self.claims.get_mut(&settlement.claim) else {
            return self.late_evidence(now, settlement);
        };
        let Some(started) = lease.open.remove(&settlement.index) else {
            return SettleResult::Repeated;
        };
        let (id, number) = (lease.stream.clone(), lease.page);
        let is_ended = lease.open.is_empty();
        match started {
            Some(begun) => self.settle_started(now, &id, number, settlement, &begun),
            None => self.settle_unstarted(&id, number, settlement),
        }
        if is_ended {
            self.end_claim(settlement.claim);
            if let Some(page) = self
                .streams
                .get_mut(&id)
                .and_then(|stream| stream.pages.get_mut(&number))
            {
                page.owner = None;
            }
        }
        self.after_change(now, &id, number);
        SettleResult::Applied
    }

    /// What was not started goes back to its place, or ends without having begun.
    fn settle_unstarted(&mut self, id: &StreamId, number: u32, settlement: &Settlement) {
        let event = match settlement.settled {
            Settled::Failed(_) => Some(DeliveryEvent::Fail),
            Settled::Skipped => Some(DeliveryEvent::Skip),
            Settled::Suppressed => Some(DeliveryEvent::Suppress),
            // Nothing was sent, so nothing else can have become of it.
            Settled::Sent
            | Settled::Retry { .. }
            | Settled::NotStarted
            | Settled::Returned
            | Settled::Unknown { .. } => None,
        };
        match event {
            Some(event) => self.step(id, number, settlement, event),
            None => self.order.uncharge(id, 1),
        }
    }

    fn settle_started(
        &mut self,
        now: DateTime<Utc>,
        id: &StreamId,
        number: u32,
        settlement: &Settlement,
        begun: &Begun,
    ) {
        match settlement.settled {
            Settled::Sent => {
                self.note_sent(now, id);
                self.step(id, number, settlement, DeliveryEvent::Send);
            }
            Settled::Failed(_) => self.step(id, number, settlement, DeliveryEvent::Fail),
            Settled::NotStarted => {
                self.give_back(id, begun);
                self.order.uncharge(id, 1);
                self.step(id, number, settlement, DeliveryEvent::Return);
            }
            Settled::Returned => self.step(id, number, settlement, DeliveryEvent::Return),
            Settled::Retry { after } => self.refused(now, id, number, settlement, after),
            Settled::Unknown { rule } => self.lost(
                id,
                number,
                settlement.claim,
                settlement.index,
                begun.at,
                rule,
            ),
            // A mail that has begun is not skipped any more.
            Settled::Skipped | Settled::Suppressed => {
                self.step(id, number, settlement, DeliveryEvent::Return);
            }
        }
    }

    fn refused(
        &mut self,
        now: DateTime<Utc>,
        id: &StreamId,
        number: u32,
        settlement: &Settlement,
        after: Option<std::time::Duration>,
    ) {
        let Some(page) = self
            .streams
            .get_mut(id)
            .and_then(|stream| stream.pages.get_mut(&number))
        else {
            return;
        };
        let row = page.row(settlement.index);
        row.attempts += 1;
        let policy = self
            .policy
            .as_ref()
            .map_or_else(Policy::new, |stored| stored.policy.clone());
        match policy.delay_after_attempt(row.attempts) {
            Some(delay) => {
                // The relay may ask for more patience than the policy has, not for less.
                row.due = Some(later(now, after.map_or(delay, |after| after.max(delay))));
                self.step(id, number, settlement, DeliveryEvent::Refuse);
            }
            None => {
                row.failure = Some(Failure::Attempts);
                self.step(id, number, settlement, DeliveryEvent::Fail);
            }
        }
    }

    /// The dot may have left, and no reply was read: a doubt is kept, and the rule says what now.
    pub(super) fn lost(
        &mut self,
        id: &StreamId,
        number: u32,
        claim: ClaimId,
        index: u16,
        begun_at: DateTime<Utc>,
        rule: OnUnknown,
    ) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let Some(page) = stream.pages.get_mut(&number) else {
            return;
        };
        if page
            .step(index, DeliveryEvent::Lose, &mut stream.counts)
            .is_err()
        {
            return;
        }
        let row = page.row(index);
        row.doubt = Some(Doubt { claim, begun_at });
        row.doubts += 1;
        let again = rule == OnUnknown::Resend && row.doubts < MOST_DOUBTS;
        self.doubts.insert((claim, index), (id.clone(), number));
        if again {
            row.due = Some(begun_at + DOT_WITHIN + REPLY_WITHIN);
            // An unknown mail can always be sent again.
            let _ = page.step(index, DeliveryEvent::Resend, &mut stream.counts);
        }
    }

    /// A claim that is gone changes nothing, save as evidence about a doubt of this very attempt.
    fn late_evidence(&mut self, now: DateTime<Utc>, settlement: &Settlement) -> SettleResult {
        let event = match settlement.settled {
            Settled::Sent => DeliveryEvent::Send,
            Settled::Failed(_) => DeliveryEvent::Fail,
            Settled::Retry { .. }
            | Settled::NotStarted
            | Settled::Returned
            | Settled::Unknown { .. }
            | Settled::Skipped
            | Settled::Suppressed => return self.stale_or_repeated(settlement.claim),
        };
        let doubt = (settlement.claim, settlement.index);
        let Some((id, number)) = self.doubts.get(&doubt).cloned() else {
            return self.stale_or_repeated(settlement.claim);
        };
        let state = self
            .streams
            .get(&id)
            .and_then(|stream| stream.pages.get(&number))
            .map(|page| page.state(settlement.index));
        match state {
            Some(DeliveryState::Unknown | DeliveryState::Retry) => {
                self.doubts.remove(&doubt);
                if event == DeliveryEvent::Send {
                    self.note_sent(now, &id);
                }
                self.take_out_of_hand(&id, number, settlement.index);
                self.step(&id, number, settlement, event);
                self.after_change(now, &id, number);
                SettleResult::Resolved
            }
            _ => SettleResult::Stale,
        }
    }

    /// What is decided is nobody's to begin: a repetition that a worker has claimed leaves its claim.
    fn take_out_of_hand(&mut self, id: &StreamId, number: u32, index: u16) {
        let page = self
            .streams
            .get_mut(id)
            .and_then(|stream| stream.pages.get_mut(&number));
        let Some(page) = page else { return };
        let Some(owner) = page.owner else { return };
        let Some(lease) = self.claims.get_mut(&owner) else {
            return;
        };
        if matches!(lease.open.get(&index), Some(None)) {
            lease.open.remove(&index);
            let is_ended = lease.open.is_empty();
            self.order.uncharge(id, 1);
            if is_ended {
                page.owner = None;
                self.end_claim(owner);
            }
        }
    }

    fn stale_or_repeated(&self, claim: ClaimId) -> SettleResult {
        if self.ended_ids.contains(&claim) {
            SettleResult::Repeated
        } else {
            SettleResult::Stale
        }
    }

    fn step(&mut self, id: &StreamId, number: u32, settlement: &Settlement, event: DeliveryEvent) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let Some(page) = stream.pages.get_mut(&number) else {
            return;
        };
        // An illegal step is a foreign or repeated settlement: it changes nothing.
        if page
            .step(settlement.index, event, &mut stream.counts)
            .is_ok()
        {
            let failure = match settlement.settled {
                Settled::Failed(failure) => Some(failure),
                _ => None,
            };
            let keeps_words = !matches!(event, DeliveryEvent::Send | DeliveryEvent::Return);
            if keeps_words || page.rows.contains_key(&settlement.index) {
                let row = page.row(settlement.index);
                row.failure = row.failure.or(failure);
                // Words matter of a failure, a retry, a doubt.
                if event == DeliveryEvent::Send {
                    row.detail.clear();
                } else {
                    row.detail.clone_from(&settlement.detail);
                }
                if event != DeliveryEvent::Refuse {
                    row.due = None;
                }
            }
        }
    }

    fn give_back(&mut self, id: &StreamId, begun: &Begun) {
        if let Some(stream) = self.streams.get(id) {
            let lane = stream.binding.lane;
            self.limiter.give_one(begun.at, lane, &begun.taken);
        }
    }

    fn note_sent(&mut self, now: DateTime<Utc>, id: &StreamId) {
        if let Some(stream) = self.streams.get(id) {
            self.relays
                .insert(stream.binding.scope(ScopeKind::Relay), now);
        }
    }

    pub(super) fn after_change(&mut self, now: DateTime<Utc>, id: &StreamId, number: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            if let Some(page) = stream.pages.get_mut(&number)
                && page.owner.is_none()
            {
                if page.is_final() {
                    page.finished_at.get_or_insert(now);
                }
                stream.set_due(number);
            }
            stream.note_end(now);
        }
        self.place(id, now);
    }
}
