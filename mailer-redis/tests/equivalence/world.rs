//! Two stores that are asked the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{ClaimId, HaltCause, WorkerId};
use mailer_core::gate::{BeginBatch, BeginItem, Gate};
use mailer_core::limiter::{Demand, RateLimiter};
use mailer_core::memory::MemoryStore;
use mailer_core::policy_store::PolicyStore;
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Created, DeferQueue, DeliveryQuery, Halt, Intake, Ledger,
    Settlement, StreamId, Tick,
};
use mailer_redis::RedisStore;

use crate::commands::{CAMPAIGNS, Call, Command};
use crate::compare::same;
use crate::fixtures;

pub(crate) struct World {
    memory: MemoryStore,
    redis: RedisStore,
    clock: VirtualClock,
    latest: chrono::DateTime<chrono::Utc>,
    /// Claims that were given out, and their last call.
    claims: Vec<(Claim, u32)>,
    last_claim: BTreeMap<u64, u64>,
    /// When each reservation was asked for.
    reserved: BTreeMap<u8, chrono::DateTime<chrono::Utc>>,
}

/// Asks both, and compares what they say.
macro_rules! both {
    ($world:expr, $store:ident => $ask:expr) => {{
        let one = {
            let $store = &$world.memory;
            $ask.await
        };
        let other = {
            let $store = &$world.redis;
            $ask.await
        };
        same(stringify!($ask), &one, &other);
        one
    }};
}

impl World {
    pub(crate) fn new(clock: VirtualClock, redis: RedisStore) -> Self {
        Self {
            memory: MemoryStore::with_clock(Arc::new(clock.clone())),
            redis,
            latest: clock.now(),
            clock,
            claims: Vec::new(),
            last_claim: BTreeMap::new(),
            reserved: BTreeMap::new(),
        }
    }

    pub(crate) async fn run(&mut self, command: Command) {
        match command {
            Command::Load {
                campaign,
                recipients,
                loader,
                seal,
            } => self.load(campaign, recipients, loader, seal).await,
            Command::Enqueue { lane, key, expires } => {
                let mail = fixtures::mail(lane, key, expires);
                let _ = both!(self, store => store.enqueue(&mail));
            }
            Command::Ticket { lane, key } => {
                let id = StreamId::standing(&fixtures::mail(lane, key, false));
                let _ = both!(self, store => store.ticket(&id, &format!("k{key}")));
            }
            Command::Claim {
                worker,
                again,
                room,
            } => self.claim(worker, again, room).await,
            Command::Begin {
                claims,
                from,
                n,
                call,
                limited,
                old_policy,
            } => {
                self.begin(claims, from, n, call, limited, old_policy).await;
            }
            Command::Settle {
                claim,
                from,
                settled,
                defer,
                foreign,
            } => {
                let Some(place) = self.place(claim) else {
                    return;
                };
                let mut id = self.claims[place].0.id;
                id.number += 1_000 * u64::from(foreign);
                let deliveries = self.claims[place].0.deliveries.iter().skip(from);
                let settlements: Vec<Settlement> = deliveries
                    .zip(&settled)
                    .map(|(delivery, settled)| Settlement {
                        claim: id,
                        index: delivery.index,
                        settled: *settled,
                        detail: format!("{settled:?}"),
                    })
                    .collect();
                let (now, version) = (self.clock.now(), self.version().await);
                let defers: Vec<_> = defer
                    .map(|number| fixtures::defer(number, now, version))
                    .into_iter()
                    .collect();
                let _ = both!(self, store => store.settle(&settlements, &defers));
            }
            Command::Tick {
                worker,
                renews,
                present,
            } => {
                let own = self
                    .claims
                    .iter()
                    .map(|(claim, _)| claim.id)
                    .filter(|id| renews && id.worker.0 == worker);
                let room = fixtures::room(usize::from(worker == 2) * 4);
                let tick = Tick {
                    worker: WorkerId(worker),
                    relays: room.relays.keys().cloned().collect(),
                    composers: room.composers.clone(),
                    claims: own.collect(),
                    room,
                    next_within: Duration::from_secs(20),
                    present,
                };
                let _ = both!(self, store => store.tick(&tick));
            }
            Command::Hold { campaign, change } => {
                let id = fixtures::campaign(campaign).id;
                let _ = both!(self, store => store.hold(&id, &change));
            }
            Command::Halt { campaign, unless } => {
                let halt = Halt {
                    stream: StreamId::from(&fixtures::campaign(campaign).id),
                    cause: HaltCause::BadCredentials,
                    detail: "535".to_owned(),
                    unless_sent_since: unless.then(|| self.clock.now() - TimeDelta::seconds(3)),
                };
                let _ = both!(self, store => store.halt(&halt));
            }
            Command::Defer { defer } => {
                let defer = fixtures::defer(defer, self.clock.now(), self.version().await);
                let _ = both!(self, store => store.defer(&defer));
            }
            Command::Resume { scope } => {
                let scope = fixtures::scope(scope);
                let _ = both!(self, store => store.resume(&scope));
            }
            Command::Policy { policy, cap } => {
                let policy = fixtures::policy(policy, cap);
                let _ = both!(self, store => store.set_policy(&policy, None));
            }
            Command::ClearPolicy => {
                let _ = both!(self, store => store.clear_policy());
            }
            Command::Reserve { id, .. } | Command::Refund { id, .. }
                if self.is_forgotten_by_one(id) => {}
            Command::Reserve { id, n, lane } => {
                let now = self.clock.now();
                let first = self.reserved.entry(id).or_insert(now);
                if now - *first > TimeDelta::seconds(66) {
                    *first = now;
                }
                let demand = Demand {
                    id: format!("d{id}"),
                    lane,
                    n,
                    limits: fixtures::limits()
                        .into_iter()
                        .take(1 + usize::from(id % 3))
                        .collect(),
                    reserved_percent: 10,
                };
                let _ = both!(self, store => store.reserve(std::slice::from_ref(&demand)));
            }
            Command::Refund { id, unused } => {
                let _ = both!(self, store => store.refund(&format!("d{id}"), unused));
            }
            Command::Resolve {
                campaign,
                recipient,
                resolution,
            } => {
                let id = fixtures::campaign(campaign).id;
                let key = format!("r{recipient}@example.com");
                let _ = both!(self, store => store.resolve(&id, &key, resolution));
            }
            Command::Purge { campaign } => {
                let id = fixtures::campaign(campaign).id;
                let _ = both!(self, store => store.purge(&id));
            }
            Command::Pass { millis } => self.clock.advance(Duration::from_millis(millis)).await,
            Command::Jump { seconds } => {
                // Limiters remember an hour for ten minutes after its end: that far back their promise goes.
                let earliest = self.latest - TimeDelta::minutes(9);
                let jump = self.clock.now() + TimeDelta::seconds(seconds);
                self.clock.set_wall(jump.max(earliest));
            }
        }
        self.latest = self.latest.max(self.clock.now());
        self.look().await;
    }

    async fn load(&self, campaign: usize, recipients: usize, loader: u64, seal: bool) {
        let spec = fixtures::campaign(campaign);
        let Ok(Created::Loading(loading)) = both!(self, store => store.create(&spec, loader))
        else {
            return;
        };
        let mut load = loading.load;
        for page in fixtures::records(recipients)
            .chunks(12)
            .skip(usize::try_from(load.pages).unwrap())
        {
            let next = both!(self, store => store.append(&load, page)).unwrap();
            let _ = both!(self, store => store.append(&load, page));
            load = next;
        }
        if seal {
            let _ = both!(self, store => store.seal(&load));
            let _ = both!(self, store => store.append(&load, &fixtures::records(3)));
        }
    }

    async fn claim(&mut self, worker: u64, again: bool, room: usize) {
        let last = self.last_claim.entry(worker).or_default();
        *last += u64::from(!again);
        let id = ClaimId {
            worker: WorkerId(worker),
            number: *last,
        };
        let request = ClaimRequest {
            id,
            room: fixtures::room(room),
        };
        let Ok(ClaimReply::Claimed(claim)) = both!(self, store => store.claim(&request)) else {
            return;
        };
        if !self.claims.iter().any(|(known, _)| known.id == claim.id) {
            self.claims.push((claim, 0));
        }
    }

    async fn begin(
        &mut self,
        claims: [usize; 2],
        from: usize,
        n: usize,
        call: Call,
        limited: bool,
        old: bool,
    ) {
        let mut places: Vec<usize> = claims
            .into_iter()
            .filter_map(|number| self.place(number))
            .collect();
        places.dedup();
        let mut items = Vec::new();
        for place in places {
            let (claim, last) = &mut self.claims[place];
            let call = match call {
                Call::Next => {
                    *last += 1;
                    *last
                }
                Call::Again => *last,
                Call::Earlier => last.saturating_sub(1),
            };
            items.extend(
                claim
                    .deliveries
                    .iter()
                    .skip(from)
                    .take(n)
                    .map(|delivery| BeginItem {
                        claim: claim.id,
                        index: delivery.index,
                        call,
                        binding: Arc::clone(&claim.binding),
                    }),
            );
        }
        let batch = BeginBatch {
            policy_version: self.version().await - u64::from(old),
            items,
        };
        if limited {
            let _ = both!(self, store => store.begin(&batch));
        } else {
            let _ = both!(self, store => store.start(&batch));
        }
    }

    /// Memory has forgotten a reservation once its clock has passed the end, Redis once its own has: where the clock was
    /// set back over that end the two may differ.
    fn is_forgotten_by_one(&self, id: u8) -> bool {
        let forgotten =
            |at: &chrono::DateTime<chrono::Utc>| self.latest - *at > TimeDelta::seconds(60);
        self.reserved.get(&id).is_some_and(forgotten) && self.clock.now() < self.latest
    }

    /// The last claims count most.
    fn place(&self, number: usize) -> Option<usize> {
        let count = self.claims.len();
        count.checked_sub(1 + number % count.max(1))
    }

    async fn version(&self) -> u64 {
        self.memory
            .policy()
            .await
            .unwrap()
            .map_or(1, |stored| stored.version)
    }

    /// Everything that shows.
    async fn look(&self) {
        let _ = both!(self, store => store.list());
        let _ = both!(self, store => store.policy());
        let _ = both!(self, store => store.workers());
        let limits = fixtures::limits();
        let _ = both!(self, store => store.usage(&limits));
        for number in 0..CAMPAIGNS {
            let campaign = fixtures::campaign(number).id;
            for page in 0..3 {
                let query = DeliveryQuery {
                    campaign: campaign.clone(),
                    page,
                };
                let _ = both!(self, store => store.outcomes(&query));
            }
        }
    }
}
