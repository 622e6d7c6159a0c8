//! What hosts do to a running mailer: policies, pauses, repeated submits, test mails.

use mailer_core::ErrorKind;
use mailer_core::domain::{Campaign, CampaignState, Policy, Recipient};
use mailer_core::queue::TicketState;
use mailer_core::sim::FakeRelay;
use mailer_core::template::Template;

use crate::{HOUR, MINUTE, SECOND, campaign, content, limited, recipients, simulation};

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
