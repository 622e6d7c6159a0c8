//! Any sequence of commands keeps the books: the memory store against what must hold after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{
    Campaign, CampaignId, ClaimId, Failure, Lanes, OnUnknown, Policy, Recipient, RelayName,
    WorkerId,
};
use mailer_core::gate::{BeginBatch, BeginItem, Gate, Verdict};
use mailer_core::memory::MemoryStore;
use mailer_core::policy_store::PolicyStore;
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Created, DeferQueue, DeliveryQuery, HoldChange, Intake,
    Ledger, Room, SettleResult, Settled, Settlement, Tick,
};
use mailer_core::template::Template;
use proptest::prelude::*;

const CAMPAIGNS: usize = 3;
const WORKERS: u64 = 3;

#[derive(Debug, Clone)]
enum Command {
    Submit {
        campaign: usize,
        recipients: usize,
    },
    Claim {
        worker: u64,
        repeated: bool,
    },
    Begin {
        claim: usize,
        from: usize,
        n: usize,
        repeated: bool,
    },
    Settle {
        claim: usize,
        place: usize,
        settled: Settled,
    },
    Tick {
        worker: u64,
        renews: bool,
    },
    Hold {
        campaign: usize,
        change: HoldChange,
    },
    Policy {
        cap: u32,
        hours: bool,
    },
    Pass {
        seconds: u64,
    },
    Jump {
        minutes: i64,
    },
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let settled = prop_oneof![
        6 => Just(Settled::Sent),
        1 => Just(Settled::Failed(Failure::Recipient)),
        1 => Just(Settled::Retry { after: None }),
        2 => Just(Settled::NotStarted),
        1 => Just(Settled::Returned),
        1 => Just(Settled::Unknown { rule: OnUnknown::AssumeSent }),
        1 => Just(Settled::Unknown { rule: OnUnknown::Resend }),
        1 => Just(Settled::Skipped),
        1 => Just(Settled::Suppressed),
    ];
    let change = prop_oneof![
        4 => Just(HoldChange::Pause { by: "p".to_owned(), why: String::new() }),
        6 => Just(HoldChange::Resume),
        1 => Just(HoldChange::Cancel),
    ];
    let command = prop_oneof![
        3 => (0..CAMPAIGNS, 1..40usize).prop_map(|(campaign, recipients)| Command::Submit { campaign, recipients }),
        8 => (0..WORKERS, prop::bool::weighted(0.1)).prop_map(|(worker, repeated)| Command::Claim { worker, repeated }),
        16 => (0..8usize, 0..8usize, 1..6usize, prop::bool::weighted(0.2))
            .prop_map(|(claim, from, n, repeated)| Command::Begin { claim, from, n, repeated }),
        16 => (0..8usize, 0..12usize, settled).prop_map(|(claim, place, settled)| Command::Settle { claim, place, settled }),
        8 => (0..WORKERS, prop::bool::weighted(0.7)).prop_map(|(worker, renews)| Command::Tick { worker, renews }),
        2 => (0..CAMPAIGNS, change).prop_map(|(campaign, change)| Command::Hold { campaign, change }),
        1 => (1..30u32, prop::bool::weighted(0.2)).prop_map(|(cap, hours)| Command::Policy { cap, hours }),
        8 => prop_oneof![0..3u64, 3..30u64, 60..4000u64].prop_map(|seconds| Command::Pass { seconds }),
        1 => (-70..70i64).prop_map(|minutes| Command::Jump { minutes }),
    ];
    prop::collection::vec(command, 1..150)
}

/// The store, and what has been seen of it.
struct World {
    store: MemoryStore,
    clock: VirtualClock,
    campaigns: BTreeMap<usize, CampaignId>,
    claims: Vec<(Claim, u32, BTreeSet<u16>)>,
    last_claim: BTreeMap<u64, u64>,
    totals: BTreeMap<CampaignId, u64>,
    held: BTreeSet<CampaignId>,
    sent: BTreeSet<(String, String)>,
    /// Begun and not given back, by the hour of the begin; and the highest cap that was in force in that hour.
    begun: BTreeMap<DateTime<Utc>, (u32, u32)>,
    begun_at: BTreeMap<(ClaimId, u16), DateTime<Utc>>,
    cap: u32,
    last_token: u64,
    latest: DateTime<Utc>,
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
    async fn new() -> Self {
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

    async fn run(&mut self, command: Command) {
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
        if let Some((known, ..)) = self.claims.iter().find(|(known, ..)| known.id == claim.id) {
            if known.token == claim.token {
                return;
            }
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

    /// What was sent is nobody's to send again.
    fn assert_open(&self, claim: &Claim, key: &str) {
        let sent = (claim.binding.stream.to_string(), key.to_owned());
        assert!(
            !self.sent.contains(&sent),
            "{sent:?} was sent, and is handed out"
        );
    }

    async fn check(&self) {
        let mut live = BTreeMap::new();
        for (id, total) in &self.totals {
            let counts = self.store.status(id).await.unwrap().counts;
            assert_eq!(counts.sum(), *total, "{counts:?}");
            assert_eq!(counts.total, *total);
            let mut states: BTreeMap<String, u64> = BTreeMap::new();
            for page in 0.. {
                let query = DeliveryQuery {
                    campaign: id.clone(),
                    page,
                };
                let deliveries = self.store.outcomes(&query).await.unwrap();
                if deliveries.is_empty() {
                    break;
                }
                for delivery in deliveries {
                    let sent = self.sent.contains(&(id.to_string(), delivery.key.clone()));
                    assert!(
                        !sent || delivery.state == "sent",
                        "{} was sent and is {}",
                        delivery.key,
                        delivery.state
                    );
                    *states.entry(delivery.state).or_default() += 1;
                }
            }
            for (state, count) in [
                ("pending", counts.pending),
                ("started", counts.in_flight),
                ("sent", counts.sent),
                ("failed", counts.failed),
                ("retry", counts.retrying),
                ("unknown", counts.unknown),
                ("skipped", counts.skipped),
                ("suppressed", counts.suppressed),
                ("cancelled", counts.cancelled),
            ] {
                assert_eq!(
                    states.get(state).copied().unwrap_or(0),
                    count,
                    "{state} of {id}"
                );
            }
        }
        // Whose claims live only the store knows: asked again, a claim that does shows what is left of it.
        for (claim, ..) in &self.claims {
            let request = ClaimRequest {
                id: claim.id,
                room: Room::default(),
            };
            if let ClaimReply::Claimed(now) = self.store.claim(&request).await.unwrap() {
                for delivery in now.deliveries {
                    let key = (
                        now.binding.stream.to_string(),
                        delivery.record.key().to_owned(),
                    );
                    let other = live.insert(key, claim.id);
                    assert!(
                        other.is_none_or(|other| other == claim.id),
                        "two claims over {:?}",
                        delivery.record
                    );
                }
            }
        }
    }
}

/// 64 sequences by default, since each step is checked against the whole ledger; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default().cases,
        Err(_) => 64,
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_books_balance_after_every_step(commands in commands()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for command in commands {
                world.run(command).await;
            }
        });
    }
}
