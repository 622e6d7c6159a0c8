//! Every call of the store, once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mailer_core::Error;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::{
    Campaign, CampaignId, CampaignSpec, ClaimId, Content, Lane, Lanes, Message, MessageSpec,
    Policy, Reason, Recipient, Record, Scope, WorkerId,
};
use mailer_core::gate::{BeginBatch, BeginItem, Gate as _};
use mailer_core::limiter::{Demand, RateLimiter as _};
use mailer_core::policy_store::PolicyStore as _;
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Created, Defer, DeferQueue as _, DeliveryQuery, HoldChange,
    Intake as _, Ledger as _, Room, Settled, Settlement, StreamId, Tick, Wait,
};
use mailer_core::template::Template;
use mailer_redis::{RedisConfig, RedisStore};
use testkit::RedisServer;

use crate::support;

/// What a call may take: its own bound, and a busy machine.
const BOUND: Duration = Duration::from_millis(600 + 1_500);

pub(crate) fn spec(id: &str) -> CampaignSpec {
    Campaign::new(id)
        .from("Shop <news@shop.example>")
        .template(Template::new("s").text("t"))
        .check()
        .unwrap()
}

pub(crate) fn mail() -> MessageSpec {
    let content = Content::new()
        .from("Shop <news@shop.example>")
        .template(Template::new("s").text("t"));
    Message::new("k", content, Recipient::new("ann@example.com"))
        .check()
        .unwrap()
}

pub(crate) fn records() -> Vec<Record> {
    (0..5)
        .map(|i| Recipient::new(format!("r{i}@example.com")).check().unwrap())
        .collect()
}

pub(crate) fn request(number: u64) -> ClaimRequest {
    ClaimRequest {
        id: ClaimId {
            worker: WorkerId(1),
            number,
        },
        room: Room {
            relays: [("default".parse().unwrap(), Lanes::ALL)].into(),
            composers: vec![Template::COMPOSER.to_owned()],
            except: Vec::new(),
        },
    }
}

/// A store with a sealed campaign, one of its pages in hand.
pub(crate) async fn store(server: &RedisServer) -> (RedisStore, Claim) {
    let config = RedisConfig::new(server.url(), support::namespace())
        .connect(Duration::from_millis(300))
        .command(Duration::from_millis(300))
        .wait(Duration::from_millis(300));
    let store = RedisStore::open(&config).await.unwrap();
    let policy = Policy::new().limit("100/hour").unwrap();
    store.init_policy(&policy).await.unwrap();
    let Created::Loading(loading) = store.create(&spec("c"), 1).await.unwrap() else {
        panic!("it is new");
    };
    let load = store.append(&loading.load, &records()).await.unwrap();
    store.seal(&load).await.unwrap();
    let ClaimReply::Claimed(claim) = store.claim(&request(1)).await.unwrap() else {
        panic!("a page is due");
    };
    (store, claim)
}

async fn within<T>(name: &str, call: impl Future<Output = T>) -> T {
    tokio::select! {
        done = call => done,
        () = SystemClock.sleep(BOUND) => panic!("{name} takes longer than {BOUND:?}"),
    }
}

/// A begin of the claim's first delivery.
pub(crate) fn first_of(claim: &Claim) -> BeginBatch {
    BeginBatch {
        policy_version: 1,
        items: vec![BeginItem {
            claim: claim.id,
            index: 0,
            call: 1,
            binding: Arc::clone(&claim.binding),
        }],
    }
}

/// Makes every call once, and says how each ended.
pub(crate) async fn every_call(
    store: &RedisStore,
    claim: &Claim,
) -> Vec<(&'static str, Result<(), Error>)> {
    let id: CampaignId = "c".parse().unwrap();
    let limit = [("100/hour".parse().unwrap(), Scope::Namespace)];
    let batch = first_of(claim);
    let settlement = Settlement {
        claim: claim.id,
        index: 4,
        settled: Settled::Skipped,
        detail: String::new(),
    };
    let demand = Demand {
        id: "d".to_owned(),
        lane: Lane::Bulk,
        n: 1,
        limits: limit.to_vec(),
        reserved_percent: 0,
    };
    let defer = Defer {
        scope: Scope::sender("other@shop.example"),
        lane: None,
        reason: Reason::TransientError,
        wait: Wait::AfterTrouble,
        detail: None,
        unless_sent_since: None,
        policy_version: None,
    };
    let tick = Tick {
        worker: WorkerId(1),
        relays: Vec::new(),
        composers: Vec::new(),
        room: request(1).room,
        claims: vec![claim.id],
        next_within: Duration::from_secs(1),
        present: true,
    };
    let query = DeliveryQuery {
        campaign: id.clone(),
        page: 0,
    };
    let ticket = StreamId::standing(&mail());
    macro_rules! calls {
        ($($name:literal => $call:expr,)*) => {
            vec![$(($name, within($name, $call).await.map(|_| ()))),*]
        };
    }
    calls! {
        "create" => store.create(&spec("other"), 1),
        "enqueue" => store.enqueue(&mail()),
        "ticket" => store.ticket(&ticket, "k"),
        "claim" => store.claim(&request(2)),
        "begin" => store.begin(&batch),
        "start" => store.start(&batch),
        "settle" => store.settle(std::slice::from_ref(&settlement), &[]),
        "tick" => store.tick(&tick),
        "defer" => store.defer(&defer),
        "resume" => store.resume(&defer.scope),
        "status" => store.status(&id),
        "list" => store.list(),
        "outcomes" => store.outcomes(&query),
        "hold" => store.hold(&id, &HoldChange::Resume),
        "workers" => store.workers(),
        "policy" => store.policy(),
        "set_policy" => store.set_policy(&Policy::new().limit("100/hour").unwrap(), None),
        "reserve" => store.reserve(std::slice::from_ref(&demand)),
        "refund" => store.refund("d", 0),
        "usage" => store.usage(&limit),
    }
}
