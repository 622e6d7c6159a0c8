//! Signs of life: leases renewed, silent ones taken back, old things forgotten.

use chrono::{DateTime, TimeDelta, Utc};

use super::state::{State, later};
use crate::domain::{ClaimId, Failure, OnUnknown};
use crate::queue::{StreamId, Tick, TickReply};
use crate::schedule::DeliveryEvent;
use crate::schedule::term::{
    CRASHES, DRAFT_FOR, LEASE, OUTCOME_FOR, REAPS_BEFORE_SINGLE, SUSPECT_FOR, TIDY_EVERY,
};

impl State {
    pub(super) fn tick(&mut self, now: DateTime<Utc>, tick: &Tick) -> TickReply {
        let pause = tick.next_within;
        if tick.present {
            self.workers.insert(
                tick.worker,
                (later(now, pause.saturating_mul(3)), tick.clone()),
            );
        } else {
            self.workers.remove(&tick.worker);
        }
        let lost = tick
            .claims
            .iter()
            .copied()
            .filter(|id| !self.renew(now, *id))
            .collect();
        let longest_gap = later(now, pause.saturating_mul(2)) - now + TimeDelta::seconds(5);
        self.reap_silent(now, longest_gap);
        if self
            .tidied_at
            .is_none_or(|at| now - at >= TIDY_EVERY || now < at)
        {
            self.tidied_at = Some(now);
            self.forget_old(now);
        }
        self.wake(now);
        TickReply {
            server_now: now,
            policy_version: self.policy_version,
            lost,
            next_due: self.next_due(now, &tick.room),
        }
    }

    fn renew(&mut self, now: DateTime<Utc>, id: ClaimId) -> bool {
        match self.claims.get_mut(&id) {
            Some(lease) => {
                lease.until = lease.until.max(now + LEASE);
                lease.suspect_since = None;
                true
            }
            None => false,
        }
    }

    fn reap_silent(&mut self, now: DateTime<Utc>, longest_gap: TimeDelta) {
        let gap = self.last_tick.map(|last| now - last);
        let was_away = gap.is_some_and(|gap| gap > longest_gap || gap < TimeDelta::zero());
        self.last_tick = Some(now);
        let mut silent = Vec::new();
        for (id, lease) in &mut self.claims {
            if lease.until > now {
                continue;
            }
            // While the store was away nobody could renew: suspicion starts anew.
            match lease.suspect_since {
                Some(since) if !was_away && since <= now => {
                    if now - since >= SUSPECT_FOR {
                        silent.push(*id);
                    }
                }
                _ => lease.suspect_since = Some(now),
            }
        }
        silent.sort_unstable();
        for id in silent {
            self.reap(now, id);
        }
    }

    /// Takes a page back: what was not started returns to its place, what was started is unknown.
    fn reap(&mut self, now: DateTime<Utc>, id: ClaimId) {
        let Some(lease) = self.claims.remove(&id) else {
            return;
        };
        let alone = lease.open.len() == 1;
        for (index, started) in &lease.open {
            match started {
                Some(begun) => {
                    let rule = self.rule_of(&lease.stream, lease.page, *index);
                    self.lost(&lease.stream, lease.page, id, *index, begun.at, rule);
                }
                None => {
                    self.order.uncharge(&lease.stream, 1);
                    self.count_crash(&lease.stream, lease.page, *index, alone);
                }
            }
        }
        if let Some(page) = self
            .streams
            .get_mut(&lease.stream)
            .and_then(|stream| stream.pages.get_mut(&lease.page))
        {
            page.owner = None;
            page.reaps += 1;
        }
        self.after_change(now, &lease.stream, lease.page);
    }

    /// A delivery that a worker had alone in hand when it fell silent may be what killed it.
    fn count_crash(&mut self, id: &StreamId, number: u32, index: u16, alone: bool) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let Some(page) = stream
            .pages
            .get_mut(&number)
            .filter(|page| alone && page.reaps >= REAPS_BEFORE_SINGLE)
        else {
            return;
        };
        let row = page.row(index);
        row.crashes += 1;
        if row.crashes >= CRASHES {
            row.failure = Some(Failure::CrashLoop);
            // A waiting delivery can always be given up.
            let _ = page.step(index, DeliveryEvent::Fail, &mut stream.counts);
        }
    }

    fn rule_of(&self, id: &StreamId, number: u32, index: u16) -> OnUnknown {
        let stream = self.streams.get(id);
        match stream.and_then(|stream| stream.campaign.as_ref()) {
            Some(campaign) => campaign.spec.on_unknown,
            None => stream
                .and_then(|stream| stream.pages.get(&number))
                .and_then(|page| match &page.body {
                    super::page::Body::Messages(messages) => messages.get(usize::from(index)),
                    super::page::Body::Records(_) => None,
                })
                .map_or_else(OnUnknown::default, |message| message.on_unknown),
        }
    }

    fn forget_old(&mut self, now: DateTime<Utc>) {
        self.deferrals.prune(now);
        self.workers.retain(|_, (gone_at, _)| *gone_at > now);
        let stale_drafts: Vec<StreamId> = self
            .streams
            .iter()
            .filter(|(_, stream)| {
                stream.campaign.as_ref().is_some_and(|campaign| {
                    campaign.sealed_at.is_none() && now - campaign.loaded_at > DRAFT_FOR
                })
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in stale_drafts {
            self.forget_stream(&id);
        }
        for (id, stream) in self
            .streams
            .iter_mut()
            .filter(|(_, stream)| stream.campaign.is_none())
        {
            let old: Vec<u32> = stream
                .pages
                .iter()
                .filter(|(_, page)| {
                    page.owner.is_none()
                        && page.finished_at.is_some_and(|at| now - at > OUTCOME_FOR)
                })
                .map(|(number, _)| *number)
                .collect();
            for number in old {
                stream.pages.remove(&number);
                stream.keys.retain(|_, (page, _)| *page != number);
                self.doubts
                    .retain(|_, (stream, page)| (&*stream, *page) != (id, number));
            }
        }
    }

    pub(super) fn forget_stream(&mut self, id: &StreamId) {
        if let Some(stream) = self.streams.remove(id) {
            for scope in &stream.scopes()[3..] {
                self.deferrals.forget(scope);
            }
        }
        self.order.remove(id);
        self.claims.retain(|_, lease| lease.stream != *id);
        self.doubts.retain(|_, (stream, _)| stream != id);
    }
}
