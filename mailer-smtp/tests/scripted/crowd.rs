//! Many mails at once: the cap on connections, and a campaign of which every recipient meets something else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::conformance::transport::Rig;
use mailer_core::domain::{Campaign, CampaignId, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::queue::Delivery;
use mailer_core::template::Template;
use mailer_core::{Mailer, Worker};
use mailer_smtp::SmtpTransport;
use testkit::{Rule, SmtpServer, Stage};
use tokio::sync::oneshot;

const HOUR: Duration = Duration::from_secs(3_600);
const CONNECTIONS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_share_four_connections() {
    let server = SmtpServer::builder()
        .latency(Duration::from_millis(1))
        .start()
        .await
        .unwrap();
    let transport = SmtpTransport::builder(&server.url())
        .connections(CONNECTIONS)
        .messages_per_connection(7);
    let transport = transport.build().unwrap();
    let names = (0..200).map(|i| format!("r{i}"));
    let rig = Rig::new(Arc::new(transport)).connections(200);
    let delivered = rig.deliver(names).await;
    assert_eq!(delivered.count("sent"), 200, "{:?}", delivered.refused);
    assert_eq!(server.connections_peak(), CONNECTIONS);
    let mut received: Vec<String> = server.mails().into_iter().flat_map(|m| m.to).collect();
    received.sort();
    received.dedup();
    assert_eq!((received.len(), server.mails().len()), (200, 200));
}

/// What a recipient of the mixed campaign meets, and what becomes of it: state, failure, attempts that were charged, mails
/// that the server may have delivered.
type Case = (fn(Rule) -> Rule, Stage, &'static str);

const CASES: [Case; 9] = [
    (|r| r.reply(250, "2.0.0 ok"), Stage::Dot, "sent, 0, 1"),
    (
        |r| r.first(1).reply(450, "4.2.1"),
        Stage::Rcpt,
        "sent, 1, 1",
    ),
    (
        |r| r.reply(450, "4.2.1"),
        Stage::Rcpt,
        "failed Attempts, 3, 0",
    ),
    (
        |r| r.reply(550, "5.1.1"),
        Stage::Rcpt,
        "failed Recipient, 0, 0",
    ),
    (
        |r| r.reply(552, "5.3.4"),
        Stage::Dot,
        "failed Message, 0, 0",
    ),
    (
        |r| r.reply(554, "5.7.1"),
        Stage::Dot,
        "failed PolicyBlock, 0, 0",
    ),
    (|r| r.first(1).reply(421, "4.3.2"), Stage::Dot, "sent, 0, 1"),
    (|r| r.first(1).cut(), Stage::Data, "sent, 0, 1"),
    (|r| r.first(1).reset(), Stage::Dot, "unknown, 0, 1"),
];

/// The cases in turn, and between them so many good ones that the campaign is not halted for its blocks.
fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain([&CASES[0]; 9]).cycle()
}

#[tokio::test]
async fn a_mixed_campaign_ends_with_every_recipient_in_the_right_state() {
    let names: Vec<String> = (0..200).map(|i| format!("r{i}@example.com")).collect();
    let rules = names.iter().zip(cases());
    let server = SmtpServer::builder()
        .rules(rules.map(|(name, (act, stage, _))| act(Rule::at(*stage).to(name))))
        .start()
        .await
        .unwrap();
    let deliveries = send_campaign(&server, &names).await;

    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    for address in server.mails().into_iter().flat_map(|mail| mail.to) {
        *received.entry(address).or_default() += 1;
    }
    assert_eq!(deliveries.len(), names.len());
    for (delivery, (_, _, expected)) in deliveries.iter().zip(cases()) {
        let mut became = delivery.state.clone();
        if let Some(failure) = delivery.failure {
            became.push_str(&format!(" {failure:?}"));
        }
        let mails = received.get(&delivery.address).copied().unwrap_or_default();
        became.push_str(&format!(", {}, {mails}", delivery.attempts));
        assert_eq!(became, *expected, "{delivery:?}");
        assert_eq!(delivery.in_doubt, delivery.state == "unknown");
    }
    assert!(server.connections_peak() <= CONNECTIONS);
}

/// The whole way of a campaign, with real sockets under a clock that waits are skipped by.
async fn send_campaign(server: &SmtpServer, names: &[String]) -> Vec<Delivery> {
    let clock = VirtualClock::at("2026-11-24T09:30:00Z".parse().unwrap());
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let mailer = Mailer::open(store).await.unwrap();
    let policy = Policy::unlimited().retry(&[HOUR, HOUR]);
    mailer.set_policy(&policy, None).await.unwrap();
    let transport = SmtpTransport::builder(&server.url()).connections(CONNECTIONS);
    let worker = Worker::builder(&mailer)
        .relay("default", transport.build().unwrap())
        .build()
        .unwrap();
    let (stop, stopped) = oneshot::channel();
    let hold = clock.hold();
    let running = tokio::spawn(async move {
        let running = worker.run(async { stopped.await.unwrap_or_default() });
        drop(hold);
        running.await
    });
    let campaign = Campaign::new("mixed")
        .from("Shop <news@shop.example>")
        .template(Template::new("Hello").text("Dear reader"));
    let recipients = names.iter().map(Recipient::new);
    let id = mailer.submit(&campaign, recipients).await.unwrap().id;
    for _ in 0..1_000 {
        clock.advance(HOUR / 12).await;
        if mailer.status(&id).await.unwrap().finished_at.is_some() {
            break;
        }
    }
    let deliveries = outcomes(&mailer, &id).await;
    stop.send(()).unwrap();
    running.await.unwrap();
    deliveries
}

async fn outcomes(mailer: &Mailer, id: &CampaignId) -> Vec<Delivery> {
    let mut all = Vec::new();
    for page in 0.. {
        let deliveries = mailer.outcomes(id, page).await.unwrap();
        if deliveries.is_empty() {
            break;
        }
        all.extend(deliveries);
    }
    all
}
