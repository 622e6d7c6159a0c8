//! The acceptance scenarios.

use mailer_core::domain::{CampaignState, Outcome, Policy, Reason, Recipient};
use mailer_core::observer::Event;
use mailer_core::queue::TicketState;
use mailer_core::sim::Sim;
use mailer_core::transport::ConnectError;
use std::time::Duration;

use crate::{HOUR, MINUTE, at, campaign, content, limited, recipients, simulation};

#[test]
fn over_the_hourly_limit_a_campaign_waits_for_the_next_full_hour_and_then_goes_on() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&limited("100/hour")).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(150))
            .await
            .unwrap()
            .id;

        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(status.state, CampaignState::Deferred);
        assert_eq!(status.reason_code.as_deref(), Some("rate_per_hour"));
        assert_eq!(status.next_run_at, Some(at("2026-11-24T10:00:00Z")));
        assert_eq!((status.counts.sent, status.counts.pending), (100, 50));

        let done = sim.until_finished(&spring, 2 * HOUR).await.unwrap();
        assert_eq!(done.state, CampaignState::Completed);
        assert_eq!(done.counts.sent, 150);
        assert_eq!(done.finished_at, Some(at("2026-11-24T10:00:00Z")));
    });
    let mails = sim.relay().mails();
    let before = mails
        .iter()
        .filter(|mail| mail.begun_at < at("2026-11-24T10:00:00Z"))
        .count();
    assert_eq!((before, mails.len()), (100, 150));
}

#[test]
fn every_mail_is_reserved_before_it_is_sent() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&limited("100/hour")).await.unwrap();
        sim.start_worker();
        sim.mailer()
            .submit(&campaign("spring"), recipients(150))
            .await
            .unwrap();
        sim.advance(MINUTE).await;
    });
    let mut begun = std::collections::BTreeSet::new();
    for traced in sim.trace().events() {
        match traced.event {
            Event::Begun { key, .. } => assert!(begun.insert(key)),
            Event::Finished { key, .. } => {
                assert!(begun.contains(&key), "{key} was sent without a token");
            }
            _ => {}
        }
    }
    assert_eq!(begun.len(), 100);
}

#[test]
fn outside_hours_nothing_is_sent_and_at_the_next_opening_it_starts_by_itself() {
    // 20:00 in Moscow, a Tuesday.
    let sim = Sim::at(at("2026-11-24T17:00:00Z"));
    sim.run(async |sim| {
        let policy = Policy::new()
            .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")
            .unwrap();
        sim.set_policy(&policy).await.unwrap();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(10))
            .await
            .unwrap()
            .id;
        let opening = at("2026-11-25T06:00:00Z");

        // True before any worker has touched it, and after.
        for _ in 0..2 {
            let status = sim.status(&spring).await.unwrap();
            assert_eq!(status.state, CampaignState::Deferred);
            assert_eq!(status.reason_code.as_deref(), Some("outside_hours"));
            assert_eq!(status.next_run_at, Some(opening));
            sim.start_worker();
            sim.advance(MINUTE).await;
        }
        assert_eq!(sim.relay().mails().len(), 0);

        sim.advance_to(opening - chrono::TimeDelta::milliseconds(1))
            .await;
        assert_eq!(sim.relay().mails().len(), 0);
        sim.advance_to(opening).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 10);
    });
}

#[test]
fn a_test_mail_is_counted_and_over_the_limit_it_leaves_when_the_hour_turns() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&limited("2/hour")).await.unwrap();
        sim.start_worker();
        let me = || Recipient::new("me@shop.example");
        for _ in 0..2 {
            let ticket = sim.mailer().enqueue_test(&content(), me()).await.unwrap();
            sim.advance(Duration::from_secs(1)).await;
            assert!(matches!(
                sim.mailer().ticket(&ticket).await.unwrap(),
                TicketState::Done(_)
            ));
        }
        let ticket = sim.mailer().enqueue_test(&content(), me()).await.unwrap();
        sim.advance(MINUTE).await;
        let TicketState::Waiting(Some(deferral)) = sim.mailer().ticket(&ticket).await.unwrap()
        else {
            panic!("it is not deferred");
        };
        assert_eq!(deferral.reason.code(), "rate_per_hour");
        assert_eq!(deferral.until, Some(at("2026-11-24T10:00:00Z")));
        sim.advance_to(at("2026-11-24T10:00:00Z")).await;
        let TicketState::Done(delivery) = sim.mailer().ticket(&ticket).await.unwrap() else {
            panic!("it has not left by itself");
        };
        assert_eq!(delivery.state, "sent");
    });
}

#[test]
fn relay_trouble_defers_for_five_minutes_and_then_everybody_gets_one_mail() {
    let sim = simulation().relay_is(
        mailer_core::sim::FakeRelay::new()
            .connections(4)
            .latency(Duration::from_millis(100)),
    );
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(200))
            .await
            .unwrap()
            .id;
        sim.advance(Duration::from_millis(1_050)).await;
        sim.relay().go_down(ConnectError::Transient {
            reply: "connection refused".into(),
        });
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(status.state, CampaignState::Deferred, "{status}");
        assert_eq!(status.reason_code.as_deref(), Some("transient_error"));
        let next = status.next_run_at.unwrap();
        assert!(
            (at("2026-11-24T09:35:01Z")..at("2026-11-24T09:35:02Z")).contains(&next),
            "{next}"
        );

        sim.relay().come_up();
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(
            (done.state, done.counts.sent),
            (CampaignState::Completed, 200)
        );
    });
    let mut sent = sim.relay().sent();
    sent.sort();
    sent.dedup();
    assert_eq!((sent.len(), sim.relay().sent().len()), (200, 200));
}

#[test]
fn a_recipient_refused_for_now_is_tried_again_and_the_campaign_goes_on() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        let greylisted = Outcome::TransientRecipient {
            reply: "450 4.7.1 greylisted".into(),
            retry_after: None,
        };
        sim.relay().answer("user3@example.com", [greylisted]);
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(10))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!((status.counts.sent, status.counts.retrying), (9, 1));
        assert_eq!(status.reason_code.as_deref(), Some("recipient_retry"));
        assert_eq!(status.detail.as_deref(), Some("450 4.7.1 greylisted"));
        assert_eq!(status.next_run_at, Some(at("2026-11-24T09:40:00Z")));
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 10);
    });
}

#[test]
fn bounces_go_to_the_return_path_and_limits_count_by_the_sender() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&limited("3/hour per sender")).await.unwrap();
        sim.start_worker();
        let mailer = sim.mailer();
        let spring = campaign("spring").verp("bounces@shop.example");
        mailer.submit(&spring, recipients(3)).await.unwrap();
        sim.advance(MINUTE).await;
        let content = content().return_path("returns@shop.example");
        let me = Recipient::new("me@example.com");
        let ticket = mailer.enqueue_test(&content, me).await.unwrap();
        sim.advance(MINUTE).await;
        // The fourth of this sender, whatever its return path.
        let state = mailer.ticket(&ticket).await.unwrap();
        assert!(
            matches!(&state, TicketState::Waiting(Some(deferral)) if deferral.reason == Reason::RatePerHour),
            "{state:?}"
        );
        sim.advance(HOUR).await;
    });
    let mails = sim.relay().mails();
    let mut paths: Vec<&str> = mails
        .iter()
        .map(|mail| mail.email.envelope_from().as_str())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "bounces+user0=example.com@shop.example",
            "bounces+user1=example.com@shop.example",
            "bounces+user2=example.com@shop.example",
            "returns@shop.example",
        ]
    );
    assert!(
        mails
            .iter()
            .all(|mail| mail.email.from.address().as_str() == "news@shop.example")
    );
}
