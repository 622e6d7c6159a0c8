//! Workers that stop, relays that refuse, sources that fail.

use futures_util::stream;
use std::time::Duration;

use mailer_core::domain::{CampaignState, HaltCause, OnUnknown, Outcome, Policy, Recipient};
use mailer_core::observer::Event;
use mailer_core::queue::{Resolution, TicketState};
use mailer_core::sim::{FakeRelay, Traced};
use mailer_core::transport::ConnectError;
use mailer_core::{Dedupe, ErrorKind};

use crate::{HOUR, MINUTE, SECOND, campaign, content, recipients, simulation};

#[test]
fn a_source_that_fails_midway_sends_nothing_and_the_same_submit_goes_on() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let broken = recipients(300).map(Ok).chain([Err("the database is gone")]);
        let error = sim
            .mailer()
            .submit_stream(
                &campaign("spring"),
                stream::iter(broken),
                Dedupe::default(),
                |_| {},
            )
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Source);
        assert!(error.to_string().contains("after row 300"), "{error}");
        sim.advance(MINUTE).await;
        let status = sim.mailer().list().await.unwrap().remove(0);
        assert_eq!(
            (status.state, status.counts.sent),
            (CampaignState::Draft, 0)
        );

        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(400))
            .await
            .unwrap();
        assert!(!spring.repeated);
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&spring.id).await.unwrap().counts.sent, 400);
    });
    assert_eq!(sim.relay().mails().len(), 400);
}

#[test]
fn a_stopped_worker_finishes_what_is_in_flight_and_gives_back_the_rest() {
    let sim = simulation().relay_is(FakeRelay::new().connections(2).latency(2 * SECOND));
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(100))
            .await
            .unwrap()
            .id;
        sim.advance(11 * SECOND).await;
        sim.stop_worker(0);
        sim.advance(2 * SECOND).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(
            (status.counts.in_flight, status.counts.unknown),
            (0, 0),
            "{status}"
        );
        assert_eq!(status.reason_code.as_deref(), Some("no_worker"));
        assert!(sim.mailer().workers().await.unwrap().is_empty());
        // What was given back is there for the next worker at once.
        sim.start_worker();
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 100);
    });
    assert_eq!(sim.relay().mails().len(), 100);
}

#[test]
fn what_does_not_finish_within_the_drain_timeout_is_unknown_and_the_host_can_decide() {
    let sim = simulation().relay_is(FakeRelay::new().connections(2).latency(HOUR));
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let spring = campaign("spring").on_unknown(OnUnknown::Hold);
        let spring = sim
            .mailer()
            .submit(&spring, recipients(3))
            .await
            .unwrap()
            .id;
        sim.advance(SECOND).await;
        sim.stop_worker(0);
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(
            (status.counts.unknown, status.counts.pending),
            (2, 1),
            "{status}"
        );
        let mailer = sim.mailer();
        assert!(
            mailer
                .resolve(&spring, "user0@example.com", Resolution::Sent)
                .await
                .unwrap()
        );
        assert!(
            mailer
                .resolve(&spring, "user1@example.com", Resolution::Resend)
                .await
                .unwrap()
        );
        assert!(
            !mailer
                .resolve(&spring, "user2@example.com", Resolution::Sent)
                .await
                .unwrap()
        );
        let counts = sim.status(&spring).await.unwrap().counts;
        assert_eq!((counts.sent, counts.retrying, counts.pending), (1, 1, 1));
    });
}

#[test]
fn a_mail_whose_attempts_always_end_in_doubt_is_not_sent_for_ever() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        let cut = || Outcome::Unknown {
            reply: "connection reset after the dot".into(),
        };
        sim.relay()
            .answer("user0@example.com", (0..10).map(|_| cut()));
        sim.start_worker();
        let spring = campaign("spring").on_unknown(OnUnknown::Resend);
        let spring = sim
            .mailer()
            .submit(&spring, recipients(2))
            .await
            .unwrap()
            .id;
        let done = sim.until_finished(&spring, 24 * HOUR).await.unwrap();
        assert_eq!((done.counts.sent, done.counts.unknown), (1, 1), "{done}");
    });
    assert_eq!(sim.relay().mails().len(), 4);
}

#[test]
fn refused_credentials_halt_campaigns_and_fail_test_mails_at_once() {
    simulation().run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let refused = ConnectError::Config {
            cause: HaltCause::BadCredentials,
            reply: "535 5.7.8 wrong password".into(),
        };
        sim.relay().go_down(refused);
        let ticket = sim
            .mailer()
            .enqueue_test(&content(), Recipient::new("me@shop.example"))
            .await
            .unwrap();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(10))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        let TicketState::Done(delivery) = sim.mailer().ticket(&ticket).await.unwrap() else {
            panic!("the test mail still waits");
        };
        assert_eq!(delivery.state, "failed");
        assert!(delivery.detail.unwrap().contains("535 5.7.8"));
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(status.state, CampaignState::Halted, "{status}");
        assert_eq!(status.reason_code.as_deref(), Some("bad_credentials"));

        sim.relay().come_up();
        sim.mailer().resume(&spring).await.unwrap();
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 10);
    });
}

#[test]
fn a_recipient_refused_again_and_again_has_failed_after_the_last_attempt() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::new().retry(&[MINUTE, MINUTE]))
            .await
            .unwrap();
        let refused = || Outcome::TransientRecipient {
            reply: "450 4.2.1 busy".into(),
            retry_after: None,
        };
        sim.relay().answer(
            "user0@example.com",
            [refused(), refused(), refused(), refused()],
        );
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(1))
            .await
            .unwrap()
            .id;
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.failed, 1);
        let delivery = sim.mailer().outcomes(&spring, 0).await.unwrap().remove(0);
        assert_eq!(
            (delivery.attempts, delivery.failure.unwrap().code()),
            (3, "attempts")
        );
        assert_eq!(delivery.detail.as_deref(), Some("450 4.2.1 busy"));
    });
    assert_eq!(sim.relay().mails().len(), 3);
}

#[test]
fn a_relay_that_hangs_up_at_once_is_relay_trouble_and_not_tried_in_a_spin() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.relay().hang_up();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(10))
            .await
            .unwrap()
            .id;
        sim.advance(HOUR).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(
            status.reason_code.as_deref(),
            Some("transient_error"),
            "{status}"
        );
        assert!(
            sim.relay().taken() < 40,
            "{} connections",
            sim.relay().taken()
        );
        sim.relay().come_up();
        let done = sim.until_finished(&spring, HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 10);
    });
}

#[test]
fn waits_without_measure_end_in_the_calendar() {
    let sim = simulation();
    sim.run(async |sim| {
        let policy = Policy::new()
            .transient_delay(Duration::MAX)
            .retry(&[Duration::MAX]);
        sim.set_policy(&policy).await.unwrap();
        let refused = Outcome::TransientRecipient {
            reply: "450 4.2.1 busy".into(),
            retry_after: Some(Duration::MAX),
        };
        let limited = Outcome::RelayLimited {
            reply: "421 4.7.0 later".into(),
            retry_after: Some(Duration::MAX),
        };
        sim.relay().answer("user0@example.com", [refused]);
        sim.relay().answer("user1@example.com", [limited]);
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(2))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(
            status.reason_code.as_deref(),
            Some("relay_limited"),
            "{status}"
        );
        sim.stop_worker(0);
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.in_flight, 0);
    });
}

#[test]
fn a_campaign_that_the_relay_blocks_is_halted_before_all_of_it_is_burnt() {
    let blocked = || Outcome::PolicyBlock {
        reply: "550 5.7.1 looks like spam".to_owned(),
    };
    let sim = simulation();
    for number in 20..300 {
        sim.relay()
            .answer(&format!("user{number}@example.com"), [blocked()]);
    }
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(300))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(status.state, CampaignState::Halted);
        assert_eq!(status.reason_code.as_deref(), Some("policy_blocks"));
        assert_eq!(status.detail.as_deref(), Some("550 5.7.1 looks like spam"));
        // Ten in a row, and those that the other connections had in hand by then.
        assert!((10..=20).contains(&status.counts.failed), "{status}");
    });
    let is_halt = |traced: &Traced| matches!(traced.event, Event::Halted { .. });
    assert_eq!(
        sim.trace()
            .events()
            .iter()
            .filter(|traced| is_halt(traced))
            .count(),
        1
    );
}
