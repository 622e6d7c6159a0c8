//! Hours, limits and schedules as campaigns meet them.

use chrono::TimeDelta;
use mailer_core::domain::{CampaignState, Policy};
use mailer_core::sim::Sim;

use crate::{HOUR, MINUTE, SECOND, at, campaign, limited, recipients, simulation};

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
