//! What hosts do to a running mailer: policies, pauses, stops, repeated submits, relays that refuse.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use mailer_core::domain::{
    Campaign, CampaignState, Content, HaltCause, OnUnknown, Outcome, Policy, Recipient,
};
use mailer_core::queue::{Resolution, TicketState};
use mailer_core::sim::{FakeRelay, Sim};
use mailer_core::template::Template;
use mailer_core::transport::ConnectError;
use mailer_core::{Dedupe, ErrorKind};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn simulation() -> Sim {
    Sim::at(at("2026-11-24T09:30:00Z"))
}

fn campaign(id: &str) -> Campaign {
    Campaign::new(id)
        .from("news@shop.example")
        .template(Template::new("Hello").text("Spring is here."))
}

fn recipients(count: usize) -> impl Iterator<Item = Recipient> + Clone {
    (0..count).map(|i| Recipient::new(format!("user{i}@example.com")))
}

fn content() -> Content {
    Content::new()
        .from("news@shop.example")
        .template(Template::new("Test").text("Test"))
}

fn limited(spec: &str) -> Policy {
    Policy::new().limit(spec).unwrap()
}

#[test]
fn a_raised_limit_wakes_everybody_at_once_and_gives_the_difference() {
    simulation().run(async |sim| {
        sim.set_policy(&limited("100/hour")).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(300))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 100);
        sim.set_policy(&limited("150/hour")).await.unwrap();
        sim.advance(SECOND).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 150);
    });
}

#[test]
fn a_lowered_limit_binds_at_once() {
    simulation().run(async |sim| {
        sim.set_policy(&limited("60/minute")).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(300))
            .await
            .unwrap()
            .id;
        sim.advance(SECOND).await;
        sim.set_policy(&limited("10/minute")).await.unwrap();
        sim.advance(SECOND).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 60);
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 70);
    });
}

#[test]
fn a_limit_counted_in_another_way_does_not_give_a_fresh_budget() {
    simulation().run(async |sim| {
        sim.set_policy(&limited("100/day@Europe/Moscow"))
            .await
            .unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(300))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        sim.set_policy(&limited("100/day@UTC")).await.unwrap();
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 100);
    });
}

#[test]
fn with_a_reserved_share_a_test_mail_leaves_while_bulk_waits() {
    simulation().run(async |sim| {
        let policy = limited("100/hour").reserved(5).unwrap();
        sim.set_policy(&policy).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(150))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 95);
        let ticket = sim
            .mailer()
            .enqueue_test(&content(), Recipient::new("me@shop.example"))
            .await
            .unwrap();
        sim.advance(SECOND).await;
        assert!(matches!(
            sim.mailer().ticket(&ticket).await.unwrap(),
            TicketState::Done(_)
        ));
    });
}

#[test]
fn a_test_mail_goes_before_a_campaign_that_is_in_full_flow() {
    let sim = simulation().relay_is(FakeRelay::new().connections(2).latency(SECOND));
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        sim.mailer()
            .submit(&campaign("spring"), recipients(5_000))
            .await
            .unwrap();
        sim.advance(10 * SECOND).await;
        let ticket = sim
            .mailer()
            .enqueue_test(&content(), Recipient::new("me@shop.example"))
            .await
            .unwrap();
        sim.advance(3 * SECOND).await;
        assert!(matches!(
            sim.mailer().ticket(&ticket).await.unwrap(),
            TicketState::Done(_)
        ));
    });
}

#[test]
fn a_second_submit_sends_nothing_again_and_other_recipients_are_refused() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let mailer = sim.mailer();
        let first = mailer
            .submit(&campaign("spring"), recipients(300))
            .await
            .unwrap();
        assert!(!first.repeated);
        sim.advance(MINUTE).await;
        let second = mailer
            .submit(&campaign("spring"), recipients(300))
            .await
            .unwrap();
        assert!(second.repeated);
        let other = mailer
            .submit(&campaign("spring"), recipients(299))
            .await
            .unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Conflict);
        let other = campaign("spring").reply_to("other@shop.example");
        assert_eq!(
            mailer
                .submit(&other, recipients(300))
                .await
                .unwrap_err()
                .kind(),
            ErrorKind::Conflict
        );
        mailer.purge(&first.id).await.unwrap();
        assert!(
            mailer
                .submit(&campaign("spring"), recipients(300))
                .await
                .unwrap()
                .repeated
        );
        sim.advance(MINUTE).await;
    });
    assert_eq!(sim.relay().mails().len(), 300);
}

#[test]
fn rows_that_are_not_taken_are_named_and_the_rest_is_sent() {
    simulation().run(async |sim| {
        let rows = [
            Recipient::new("ann@example.com").field("name", "Ann"),
            Recipient::new("no address").field("name", "Bob"),
            Recipient::new("ann@example.com").field("name", "Ann again"),
            Recipient::new("eve@example.com").field("name", "Eve\r\nBcc: all@example.com"),
            Recipient::new("zoe@example.com"),
        ];
        let campaign = Campaign::new("spring")
            .from("news@shop.example")
            .template(Template::new("Hello {{ name }}").text("Hi"));
        let submitted = sim.mailer().submit(&campaign, rows).await.unwrap();
        assert_eq!((submitted.accepted, submitted.rejected), (1, 4));
        let rows: Vec<u64> = submitted
            .first_rejected
            .iter()
            .map(|rejected| rejected.row)
            .collect();
        assert_eq!(rows, [2, 3, 4, 5]);
        let nobody = Campaign::new("nobody")
            .from("news@shop.example")
            .template(Template::new("Hi").text("Hi"));
        let error = sim.mailer().submit(&nobody, []).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    });
}

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
fn nothing_begins_after_a_pause_and_a_cancel_is_for_good() {
    let sim = simulation().relay_is(FakeRelay::new().connections(2).latency(SECOND));
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(100))
            .await
            .unwrap()
            .id;
        sim.advance(10 * SECOND).await;
        sim.mailer()
            .pause(&spring, "ann", "wrong subject")
            .await
            .unwrap();
        let begun = sim.relay().mails().len();
        sim.advance(HOUR).await;
        // Two were in flight.
        assert!(sim.relay().mails().len() <= begun + 2);
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(
            (status.state, status.counts.in_flight),
            (CampaignState::Paused, 0)
        );
        assert_eq!(status.reason_text.as_deref(), Some("paused by ann"));

        sim.mailer().resume(&spring).await.unwrap();
        sim.advance(10 * SECOND).await;
        assert_eq!(
            sim.status(&spring).await.unwrap().state,
            CampaignState::Sending
        );
        sim.mailer().cancel(&spring).await.unwrap();
        sim.advance(HOUR).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(status.state, CampaignState::Cancelled);
        assert_eq!(status.counts.sent + status.counts.cancelled, 100);
        assert_eq!(
            sim.mailer().resume(&spring).await.unwrap_err().kind(),
            ErrorKind::Conflict
        );
    });
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
fn hours_that_never_open_halt_a_campaign_and_another_policy_lets_it_go() {
    simulation().run(async |sim| {
        sim.set_policy(&Policy::new().hours("never", "UTC").unwrap())
            .await
            .unwrap();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(10))
            .await
            .unwrap()
            .id;
        for _ in 0..2 {
            let status = sim.status(&spring).await.unwrap();
            assert_eq!(
                (status.state, status.reason_code.as_deref()),
                (CampaignState::Halted, Some("no_opening"))
            );
            sim.start_worker();
            sim.advance(MINUTE).await;
        }
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.advance(SECOND).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 10);
    });
}

#[test]
fn over_the_limit_before_closing_time_the_wait_goes_straight_to_the_next_opening() {
    // Tuesday 17:30 in Moscow.
    let sim = Sim::at(at("2026-11-24T14:30:00Z"));
    sim.run(async |sim| {
        let policy = limited("100/hour")
            .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")
            .unwrap();
        sim.set_policy(&policy).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(150))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(status.reason_code.as_deref(), Some("rate_per_hour"));
        assert_eq!(status.detail.as_deref(), Some("outside_hours"));
        assert_eq!(status.next_run_at, Some(at("2026-11-25T06:00:00Z")));
    });
}

#[test]
fn a_week_under_limits_and_hours_keeps_to_both() {
    let sim = Sim::at(at("2026-11-23T00:00:00Z"));
    sim.run(async |sim| {
        let policy = limited("50/hour")
            .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")
            .unwrap();
        sim.set_policy(&policy).await.unwrap();
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(2_000))
            .await
            .unwrap()
            .id;
        let done = sim.until_finished(&spring, 8 * 24 * HOUR).await.unwrap();
        assert_eq!(done.counts.sent, 2_000);
        // 9 hours a day at 50: 2,000 take 4 days and 4 hours.
        assert_eq!(done.finished_at, Some(at("2026-11-27T09:00:00Z")));
    });
    for hour in 0..7 * 24 {
        let from = at("2026-11-23T00:00:00Z") + TimeDelta::hours(hour);
        let begun = sim
            .relay()
            .mails()
            .iter()
            .filter(|mail| (from..from + TimeDelta::hours(1)).contains(&mail.begun_at))
            .count();
        let is_open = (6..15).contains(&(hour % 24)) && hour < 5 * 24;
        assert!(
            begun <= if is_open { 50 } else { 0 },
            "{begun} in the hour from {from}"
        );
    }
}

#[test]
fn an_expired_campaign_ends_and_a_scheduled_one_waits_for_its_start() {
    simulation().run(async |sim| {
        sim.set_policy(&limited("10/hour")).await.unwrap();
        sim.start_worker();
        let late = campaign("late").expires_at(at("2026-11-24T10:30:00Z"));
        let late = sim.mailer().submit(&late, recipients(50)).await.unwrap().id;
        let next = campaign("next").starts_at(at("2026-11-24T12:00:00Z"));
        let next = sim.mailer().submit(&next, recipients(5)).await.unwrap().id;
        let status = sim.status(&next).await.unwrap();
        assert_eq!(status.reason_code.as_deref(), Some("scheduled"));
        assert_eq!(status.next_run_at, Some(at("2026-11-24T12:00:00Z")));
        sim.advance_to(at("2026-11-24T11:00:00Z")).await;
        let status = sim.status(&late).await.unwrap();
        assert_eq!(
            (status.state, status.counts.sent, status.counts.expired),
            (CampaignState::Completed, 20, 30)
        );
        sim.advance_to(at("2026-11-24T12:00:00Z")).await;
        assert_eq!(sim.status(&next).await.unwrap().counts.sent, 5);
    });
}

#[test]
fn without_a_policy_nothing_is_sent() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.start_worker();
        let spring = sim
            .mailer()
            .submit(&campaign("spring"), recipients(10))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        let status = sim.status(&spring).await.unwrap();
        assert_eq!(
            (status.state, status.reason_code.as_deref()),
            (CampaignState::Deferred, Some("no_policy"))
        );
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.advance(SECOND).await;
        assert_eq!(sim.status(&spring).await.unwrap().counts.sent, 10);
        sim.mailer().clear_policy().await.unwrap();
        let more = sim
            .mailer()
            .submit(&campaign("more"), recipients(10))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        assert_eq!(
            sim.status(&more).await.unwrap().reason_code.as_deref(),
            Some("no_policy")
        );
    });
    assert_eq!(sim.relay().mails().len(), 10);
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
fn pacing_spreads_mails_evenly_and_lets_other_campaigns_pass() {
    let sim = simulation();
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        sim.start_worker();
        let paced = campaign("paced").limit("1/s pace per campaign".parse().unwrap());
        let paced = sim
            .mailer()
            .submit(&paced, recipients(1_000))
            .await
            .unwrap()
            .id;
        let free = sim
            .mailer()
            .submit(&campaign("free"), recipients(1_000))
            .await
            .unwrap()
            .id;
        sim.advance(MINUTE).await;
        assert_eq!(sim.status(&free).await.unwrap().counts.sent, 1_000);
        let sent = sim.status(&paced).await.unwrap().counts.sent;
        assert!((58..=62).contains(&sent), "{sent}");
    });
}

#[test]
fn thousands_of_campaigns_sleep_and_wake_by_one_record() {
    let sim = Sim::at(at("2026-11-24T17:00:00Z"));
    sim.run(async |sim| {
        sim.set_policy(
            &Policy::new()
                .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")
                .unwrap(),
        )
        .await
        .unwrap();
        sim.start_worker();
        for number in 0..2_000 {
            sim.mailer()
                .submit(&campaign(&format!("c{number}")), recipients(1))
                .await
                .unwrap();
        }
        sim.advance_to(at("2026-11-25T05:59:59Z")).await;
        assert_eq!(sim.relay().mails().len(), 0);
        sim.advance_to(at("2026-11-25T06:00:01Z")).await;
        assert_eq!(sim.relay().mails().len(), 2_000);
    });
}
