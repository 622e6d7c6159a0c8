//! Attempts of which nobody knows, and what is learned of them later.

use chrono::{DateTime, Utc};

use super::page::Doubt;
use super::state::State;
use crate::domain::{ClaimId, OnUnknown};
use crate::queue::{SettleResult, Settled, Settlement, StreamId};
use crate::schedule::term::{DOT_WITHIN, MOST_DOUBTS, REPLY_WITHIN};
use crate::schedule::{DeliveryEvent, DeliveryState};

impl State {
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
    pub(super) fn late_evidence(
        &mut self,
        now: DateTime<Utc>,
        settlement: &Settlement,
    ) -> SettleResult {
        let event = match settlement.settled {
            Settled::Sent => DeliveryEvent::Send,
            Settled::Failed(_) => DeliveryEvent::Fail,
            Settled::Retry { .. }
            | Settled::NotStarted
            | Settled::Returned
            | Settled::Troubled
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
}
