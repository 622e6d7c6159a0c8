use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{
    Campaign, CampaignId, ClaimId, Lanes, OnUnknown, Policy, Recipient, RelayName, WorkerId,
};
use mailer_core::gate::{BeginBatch, BeginItem, Gate, Verdict};
use mailer_core::memory::MemoryStore;
use mailer_core::policy_store::PolicyStore;
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Created, DeferQueue, HoldChange, Intake, Ledger, Room,
    SettleResult, Settled, Settlement, Tick,
};
use mailer_core::template::Template;

use crate::commands::Command;

/// The store, and what has been seen of it.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) clock: VirtualClock,
    pub(crate) campaigns: BTreeMap<usize, CampaignId>,
    pub(crate) claims: Vec<(Claim, u32, BTreeSet<u16>)>,
    pub(crate) last_claim: BTreeMap<u64, u64>,
    pub(crate) totals: BTreeMap<CampaignId, u64>,
    pub(crate) held: BTreeSet<CampaignId>,
    pub(crate) sent: BTreeSet<(String, String)>,
    /// Begun and not given back, by the hour of the begin; and the highest cap that was in force in that hour.
    pub(crate) begun: BTreeMap<DateTime<Utc>, (u32, u32)>,
    pub(crate) begun_at: BTreeMap<(ClaimId, u16), DateTime<Utc>>,
    pub(crate) cap: u32,
    pub(crate) last_token: u64,
    pub(crate) latest: DateTime<Utc>,
}

fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::microseconds(at.timestamp_micros().rem_euclid(3_600_000_000))
}

fn room() -> Room {
    Room {
        relays: [("default".parse::<RelayName>().unwrap(), Lanes::ALL)].into(),
        composers: vec![Template::COMPOSER.to_owned()],
        except: Vec::new(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = VirtualClock::at("2026-11-24T09:00:00Z".parse().unwrap());
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let mut world = Self {
            latest: clock.now(),
            store,
            clock,
            campaigns: BTreeMap::new(),
            claims: Vec::new(),
            last_claim: BTreeMap::new(),
            totals: BTreeMap::new(),
            held: BTreeSet::new(),
            sent: BTreeSet::new(),
            begun: BTreeMap::new(),
            begun_at: BTreeMap::new(),
            cap: 0,
            last_token: 0,
        };
        world.policy(10, false).await;
        world
    }

    pub(crate) async fn run(&mut self, command: Command) {
        match command {
            Command::Submit {
                campaign,
                recipients,
            } => self.submit(campaign, recipients).await,
            Command::Claim { worker, repeated } => self.claim(worker, repeated).await,
            Command::Begin {
                claim,
                from,
                n,
                repeated,
            } => self.begin(claim, from, n, repeated).await,
            Command::Settle {
                claim,
                place,
                settled,
            } => self.settle(claim, place, settled).await,
            Command::Tick { worker, renews } => self.tick(worker, renews).await,
            Command::Hold { campaign, change } => self.hold(campaign, &change).await,
            Command::Policy { cap, hours } => self.policy(cap, hours).await,
            Command::Pass { seconds } => self.clock.advance(Duration::from_secs(seconds)).await,
            Command::Jump { minutes } => {
                // Limiters remember an hour for ten minutes after its end: that far back their promise goes.
                let earliest = self.latest - TimeDelta::minutes(9);
                let jump = self.clock.now() + TimeDelta::minutes(minutes);
                self.clock.set_wall(jump.max(earliest));
            }
        }
        self.latest = self.latest.max(self.clock.now());
        self.check().await;
    }

    async fn submit(&mut self, number: usize, recipients: usize) {
        if self.campaigns.contains_key(&number) {
            return;
        }
        let spec = Campaign::new(format!("c{number}"))
            .from("news@shop.example")
            .template(Template::new("s").text("t"))
            .on_unknown([OnUnknown::AssumeSent, OnUnknown::Resend, OnUnknown::Hold][number % 3])
            .check()
            .unwrap();
        let Created::Loading(loading) = self.store.create(&spec, 1).await.unwrap() else {
            panic!("it is new");
        };
        let records: Vec<_> = (0..recipients)
            .map(|i| Recipient::new(format!("r{i}@example.com")).check().unwrap())
            .collect();
        let mut load = loading.load;
        // Small pages: claims of one campaign meet.
        for page in records.chunks(12) {
            load = self.store.append(&load, page).await.unwrap();
        }
        self.store.seal(&load).await.unwrap();
        self.totals.insert(spec.id.clone(), recipients as u64);
        self.campaigns.insert(number, spec.id);
    }

    async fn claim(&mut self, worker: u64, repeated: bool) {
        let last = self.last_claim.entry(worker).or_default();
        *last += u64::from(!repeated);
        let id = ClaimId {
            worker: WorkerId(worker),
            number: *last,
        };
        let request = ClaimRequest { id, room: room() };
        let ClaimReply::Claimed(claim) = self.store.claim(&request).await.unwrap() else {
            return;
        };
        let is_known = |(known, ..): &(Claim, u32, BTreeSet<u16>)| {
            known.id == claim.id && known.token == claim.token
        };
        if self.claims.iter().any(is_known) {
            return;
        }
        assert!(claim.token > self.last_token, "tokens grow");
        self.last_token = claim.token;
        assert!(
            !self
                .held
                .contains(&claim.binding.stream.campaign().unwrap()),
            "held, and claimed"
        );
        for delivery in &claim.deliveries {
            self.assert_open(&claim, delivery.record.key());
        }
        self.claims.retain(|(known, ..)| known.id != claim.id);
        self.claims.push((claim, 0, BTreeSet::new()));
    }

    async fn begin(&mut self, place: usize, from: usize, n: usize, repeated: bool) {
        let now = self.clock.now();
        let stored = self.store.policy().await.unwrap().unwrap();
        let count = self.claims.len();
        if count == 0 {
            return;
        }
        let (claim, call, _) = &mut self.claims[count - 1 - place % count];
        *call += 1;
        let items: Vec<BeginItem> = claim
            .deliveries
            .iter()
            .skip(from)
            .take(n)
            .map(|delivery| BeginItem {
                claim: claim.id,
                index: delivery.index,
                call: *call,
                binding: Arc::clone(&claim.binding),
            })
            .collect();
        let claim = claim.clone();
        let batch = BeginBatch {
            policy_version: stored.version,
            items,
        };
        let reply = self.store.begin(&batch).await.unwrap();
        if repeated {
            let again = self.store.begin(&batch).await.unwrap();
            assert_eq!(again.verdicts, reply.verdicts);
        }
        for (item, verdict) in batch.items.iter().zip(reply.verdicts) {
            let Verdict::Go { send_by, dot_by } = verdict else {
                continue;
            };
            let delivery = claim
                .deliveries
                .iter()
                .find(|delivery| delivery.index == item.index);
            let key = delivery.unwrap().record.key().to_owned();
            self.assert_open(&claim, &key);
            let campaign = claim.binding.stream.campaign().unwrap();
            assert!(!self.held.contains(&campaign), "held, and begun");
            assert!(now < send_by && send_by < dot_by);
            if let Some(hours) = stored.policy.hours_for(claim.binding.lane) {
                assert!(hours.is_open(now), "closed, and begun");
            }
            let other = self.begun_at.insert((claim.id, item.index), now);
            assert_eq!(other, None, "begun twice by one claim");
            let (begun, cap) = self.begun.entry(hour(now)).or_default();
            *begun += 1;
            *cap = (*cap).max(self.cap);
            assert!(begun <= cap, "{begun} of {cap} in the hour of {now}");
        }
    }

    async fn settle(&mut self, number: usize, place: usize, settled: Settled) {
        let count = self.claims.len();
        if count == 0 {
            return;
        }
        let (claim, _, done) = &mut self.claims[count - 1 - number % count];
        let Some(delivery) = claim.deliveries.get(place) else {
            return;
        };
        let settlement = Settlement {
            claim: claim.id,
            index: delivery.index,
            settled,
            detail: String::new(),
        };
        let reply = self
            .store
            .settle(std::slice::from_ref(&settlement), &[])
            .await
            .unwrap();
        let begun_at = self.begun_at.get(&(claim.id, delivery.index)).copied();
        let is_sent = settled == Settled::Sent && begun_at.is_some();
        match reply.results[0] {
            SettleResult::Applied => {
                assert!(done.insert(delivery.index), "applied twice");
                if settled == Settled::NotStarted
                    && let Some(at) = begun_at
                {
                    self.begun.entry(hour(at)).or_default().0 -= 1;
                }
                if is_sent {
                    self.sent.insert((
                        claim.binding.stream.to_string(),
                        delivery.record.key().to_owned(),
                    ));
                }
            }
            SettleResult::Resolved => {
                assert!(begun_at.is_some(), "evidence of what never began");
                if is_sent {
                    self.sent.insert((
                        claim.binding.stream.to_string(),
                        delivery.record.key().to_owned(),
                    ));
                }
            }
            SettleResult::Repeated | SettleResult::Stale => {}
        }
        let again = self.store.settle(&[settlement], &[]).await.unwrap();
        assert_ne!(again.results[0], SettleResult::Applied, "applied again");
        assert_ne!(again.results[0], SettleResult::Resolved, "resolved again");
    }

    async fn tick(&self, worker: u64, renews: bool) {
        let claims = self.claims.iter().map(|(claim, ..)| claim.id);
        let own = claims.filter(|id| renews && id.worker.0 == worker);
        let tick = Tick {
            worker: WorkerId(worker),
            relays: room().relays.into_keys().collect(),
            composers: room().composers,
            room: room(),
            claims: own.collect(),
            next_within: Duration::from_secs(20),
            present: true,
        };
        self.store.tick(&tick).await.unwrap();
    }

    async fn hold(&mut self, number: usize, change: &HoldChange) {
        let Some(id) = self.campaigns.get(&number) else {
            return;
        };
        if self.store.hold(id, change).await.is_err() {
            return;
        }
        match change {
            HoldChange::Resume => self.held.remove(id),
            HoldChange::Pause { .. } | HoldChange::Cancel => self.held.insert(id.clone()),
        };
    }

    async fn policy(&mut self, cap: u32, hours: bool) {
        let mut policy = Policy::new().limit(&format!("{cap}/hour")).unwrap();
        if hours {
            policy = policy
                .hours("Mon-Fri 09:30-10:30,Mon-Fri 11:00-18:00", "UTC")
                .unwrap();
        }
        self.store.set_policy(&policy, None).await.unwrap();
        self.cap = cap;
    }
}
