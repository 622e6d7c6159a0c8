//! Twenty workers on one store: random interleavings, and crashes between any two steps.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::clock::VirtualClock;
use mailer_core::domain::{Campaign, CampaignState, OnUnknown, Policy, Recipient};
use mailer_core::sim::{FakeRelay, Sim};
use mailer_core::template::Template;
use support::FarStore;

const WORKERS: usize = 20;

fn start() -> DateTime<Utc> {
    "2026-11-24T09:10:00Z".parse().unwrap()
}

fn campaign(rule: OnUnknown) -> Campaign {
    Campaign::new("spring")
        .from("news@shop.example")
        .template(Template::new("Hello").text("Spring is here."))
        .on_unknown(rule)
}

fn recipients(count: usize) -> impl Iterator<Item = Recipient> {
    (0..count).map(|i| Recipient::new(format!("user{i}@example.com")))
}

fn simulation(seed: u64) -> Sim {
    let clock = VirtualClock::at(start());
    let store = FarStore::new(clock.clone(), seed, Duration::from_millis(40));
    let relay = FakeRelay::new()
        .connections(3)
        .latency(Duration::from_millis(30));
    Sim::over(clock, store.open()).relay_is(relay)
}

/// How many mails each address was sent, as the relay has it.
fn sent_per_address(sim: &Sim) -> BTreeMap<String, usize> {
    sim.relay()
        .sent()
        .into_iter()
        .fold(BTreeMap::new(), |mut all, address| {
            *all.entry(address).or_default() += 1;
            all
        })
}

fn begun_between(sim: &Sim, from: DateTime<Utc>, until: DateTime<Utc>) -> usize {
    sim.relay()
        .mails()
        .iter()
        .filter(|mail| (from..until).contains(&mail.begun_at))
        .count()
}

#[test]
fn twenty_workers_send_exactly_a_hundred_in_the_hour_at_every_repetition() {
    for seed in 0..12 {
        let sim = simulation(seed);
        sim.run(async |sim| {
            sim.set_policy(&Policy::new().limit("100/hour").unwrap())
                .await
                .unwrap();
            for _ in 0..WORKERS {
                sim.start_worker();
            }
            let spring = sim
                .mailer()
                .submit(&campaign(OnUnknown::AssumeSent), recipients(150))
                .await
                .unwrap()
                .id;
            sim.advance_to("2026-11-24T09:59:59.999Z".parse().unwrap())
                .await;
            let status = sim.status(&spring).await.unwrap();
            assert_eq!(
                (status.counts.sent, status.counts.pending),
                (100, 50),
                "seed {seed}: {status}"
            );
            assert_eq!(
                status.reason_code.as_deref(),
                Some("rate_per_hour"),
                "seed {seed}"
            );
            let done = sim
                .until_finished(&spring, Duration::from_secs(7200))
                .await
                .unwrap();
            assert_eq!(
                (done.state, done.counts.sent),
                (CampaignState::Completed, 150),
                "seed {seed}: {done}"
            );
        });
        let hour: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!(begun_between(&sim, start(), hour), 100, "seed {seed}");
        assert_eq!(
            begun_between(&sim, hour, hour + TimeDelta::hours(1)),
            50,
            "seed {seed}"
        );
        assert!(
            sent_per_address(&sim).values().all(|count| *count == 1),
            "seed {seed}"
        );
    }
}

/// Kills a worker every 50 ms or so while mails flow, and starts another in its place.
async fn with_crashes(sim: &Sim, seed: u64, times: usize) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut alive: Vec<usize> = (0..WORKERS).collect();
    for number in WORKERS..WORKERS + times {
        sim.advance(Duration::from_millis(dice.u64(1..100))).await;
        let victim = dice.usize(..alive.len());
        sim.kill_worker(alive.swap_remove(victim));
        sim.start_worker();
        alive.push(number);
    }
}

#[test]
fn with_crashes_between_any_two_steps_no_limit_breaks_and_nobody_gets_two_mails() {
    for seed in 0..12 {
        let sim = simulation(seed);
        sim.run(async |sim| {
            sim.set_policy(&Policy::new().limit("100/hour").unwrap())
                .await
                .unwrap();
            for _ in 0..WORKERS {
                sim.start_worker();
            }
            let spring = sim
                .mailer()
                .submit(&campaign(OnUnknown::AssumeSent), recipients(150))
                .await
                .unwrap()
                .id;
            with_crashes(sim, seed, 60).await;
            let done = sim
                .until_finished(&spring, Duration::from_secs(12 * 3600))
                .await
                .unwrap();
            assert_eq!(done.state, CampaignState::Completed, "seed {seed}: {done}");
            let counts = done.counts;
            assert_eq!(counts.sent + counts.unknown, 150, "seed {seed}: {done}");

            let sent = sent_per_address(sim);
            assert!(
                sent.values().all(|count| *count == 1),
                "seed {seed}: somebody got two mails"
            );
            // Whoever is counted as sent has got the mail; whoever has not is counted as unknown.
            let mut missing = 0;
            for page in 0..2 {
                for delivery in sim.mailer().outcomes(&spring, page).await.unwrap() {
                    let got = sent.contains_key(&delivery.address);
                    assert!(
                        got || delivery.state == "unknown",
                        "seed {seed}: {delivery:?}"
                    );
                    missing += usize::from(!got);
                }
            }
            assert_eq!(missing + sent.len(), 150, "seed {seed}");
        });
        for hour in 9..22 {
            let from: DateTime<Utc> = format!("2026-11-24T{hour:02}:00:00Z").parse().unwrap();
            let begun = begun_between(&sim, from, from + TimeDelta::hours(1));
            assert!(begun <= 100, "seed {seed}: {begun} in the hour from {from}");
        }
    }
}

#[test]
fn under_resend_everybody_gets_the_mail_and_doubles_carry_the_same_id_and_date() {
    for seed in 0..6 {
        let sim = simulation(seed);
        sim.run(async |sim| {
            sim.set_policy(&Policy::unlimited()).await.unwrap();
            for _ in 0..WORKERS {
                sim.start_worker();
            }
            let spring = sim
                .mailer()
                .submit(&campaign(OnUnknown::Resend), recipients(600))
                .await
                .unwrap()
                .id;
            with_crashes(sim, seed, 30).await;
            let done = sim
                .until_finished(&spring, Duration::from_secs(12 * 3600))
                .await
                .unwrap();
            assert_eq!(
                (done.state, done.counts.sent),
                (CampaignState::Completed, 600),
                "seed {seed}: {done}"
            );
            assert_eq!(sent_per_address(sim).len(), 600, "seed {seed}");

            let in_doubt: Vec<String> = {
                let mut all = Vec::new();
                for page in 0..5 {
                    let page = sim.mailer().outcomes(&spring, page).await.unwrap();
                    all.extend(
                        page.into_iter()
                            .filter(|delivery| delivery.in_doubt)
                            .map(|delivery| delivery.address),
                    );
                }
                all
            };
            for (address, count) in sent_per_address(sim) {
                assert!(
                    count == 1 || in_doubt.contains(&address),
                    "seed {seed}: {address} got {count}"
                );
            }
        });
        let mut first: BTreeMap<String, (String, DateTime<Utc>)> = BTreeMap::new();
        for mail in sim.relay().mails() {
            let address = mail.email.to.address().as_str().to_owned();
            let identity = (mail.email.message_id.clone(), mail.email.date);
            assert_eq!(
                *first.entry(address).or_insert(identity.clone()),
                identity,
                "seed {seed}"
            );
        }
    }
}
