//! One worker whose settings are wrong, beside one whose settings are right.

use std::sync::Arc;

use async_trait::async_trait;
use mailer_core::clock::{Clock, VirtualClock};
use mailer_core::domain::{CampaignState, HaltCause, Outcome, Policy, Recipient, Status};
use mailer_core::queue::TicketState;
use mailer_core::sim::{FakeRelay, Sim};
use mailer_core::transport::{ConnectError, OneShot, Session, Transport};

use super::start_worker;
use crate::{HOUR, MINUTE, SECOND, campaign, content, recipients, simulation};

/// A relay that refuses the login after a second.
#[derive(Debug)]
struct Locked(VirtualClock);

#[async_trait]
impl Transport for Locked {
    fn max_connections(&self) -> usize {
        1
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        self.0.sleep(SECOND).await;
        Err(ConnectError::Config {
            cause: HaltCause::BadCredentials,
            reply: "535 5.7.8 wrong password".to_owned(),
        })
    }
}

/// One that refuses every mail so, after a second.
fn refusing(sim: &Sim, cause: HaltCause) -> OneShot {
    let clock = sim.clock().clone();
    let refuse = move |_email| {
        let (clock, cause) = (clock.clone(), cause.clone());
        async move {
            clock.sleep(SECOND).await;
            Outcome::PermanentConfig {
                cause,
                reply: "535 5.7.8 wrong password".to_owned(),
            }
        }
    };
    OneShot::new(refuse)
        .connections(1)
        .clock(Arc::new(sim.clock().clone()))
}

/// What becomes of a campaign that worker 2 has a part of, while worker 1 sends, if it is there.
fn campaign_over(cause: HaltCause, beside_another: bool) -> Status {
    let sim = simulation().relay_is(FakeRelay::new().connections(1).latency(SECOND / 10));
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        start_worker(sim, 2, "default", refusing(sim, cause));
        if beside_another {
            start_worker(sim, 1, "default", sim.relay().clone());
        }
        let spring = campaign("spring");
        let spring = sim.mailer().submit(&spring, recipients(300)).await.unwrap();
        sim.until_finished(&spring.id, HOUR).await.unwrap()
    })
}

#[test]
fn a_login_that_works_for_others_halts_no_campaign() {
    for cause in [
        HaltCause::BadCredentials,
        HaltCause::TlsRefused,
        HaltCause::RelayMissing,
    ] {
        let done = campaign_over(cause.clone(), true);
        assert_eq!(done.counts.sent, 300, "{done}");

        let halted = campaign_over(cause.clone(), false);
        assert_eq!(halted.state, CampaignState::Halted, "{halted}");
        assert_eq!(halted.reason_code.as_deref(), Some(cause.code()));
    }
}

#[test]
fn a_sender_that_is_refused_halts_its_campaign_whoever_sends_beside_it() {
    let halted = campaign_over(HaltCause::SenderRefused, true);
    assert_eq!(halted.state, CampaignState::Halted, "{halted}");
    assert_eq!(halted.reason_code.as_deref(), Some("sender_refused"));
}

#[derive(Debug, Clone, Copy)]
enum Wrong {
    Login,
    EveryMail,
}

/// The states of twenty test mails that worker 2 gets a part of, while worker 1 sends a campaign, if it is there.
fn test_mails_over(wrong: Wrong, beside_another: bool) -> Vec<String> {
    let sim = simulation().relay_is(FakeRelay::new().connections(1).latency(SECOND / 10));
    sim.run(async |sim| {
        sim.set_policy(&Policy::unlimited()).await.unwrap();
        match wrong {
            Wrong::Login => start_worker(sim, 2, "default", Locked(sim.clock().clone())),
            Wrong::EveryMail => {
                start_worker(sim, 2, "default", refusing(sim, HaltCause::BadCredentials));
            }
        }
        if beside_another {
            start_worker(sim, 1, "default", sim.relay().clone());
            let spring = campaign("spring");
            sim.mailer()
                .submit(&spring, recipients(2000))
                .await
                .unwrap();
        }
        let mut tickets = Vec::new();
        for _ in 0..20 {
            let me = Recipient::new("me@shop.example");
            tickets.push(sim.mailer().enqueue_test(&content(), me).await.unwrap());
            sim.advance(SECOND / 2).await;
        }
        sim.advance(MINUTE).await;
        let mut states = Vec::new();
        for ticket in &tickets {
            states.push(match sim.mailer().ticket(ticket).await.unwrap() {
                TicketState::Done(delivery) => delivery.state,
                other => format!("{other:?}"),
            });
        }
        let told = format!("{:?}", sim.trace().events());
        let took_part = match wrong {
            Wrong::Login => "wrong password",
            Wrong::EveryMail => "permanent_config",
        };
        assert!(told.contains(took_part), "{wrong:?}: {told}");
        states
    })
}

#[test]
fn a_single_mail_fails_only_if_the_login_works_for_nobody() {
    for wrong in [Wrong::Login, Wrong::EveryMail] {
        assert_eq!(test_mails_over(wrong, true), ["sent"; 20], "{wrong:?}");
        assert_eq!(test_mails_over(wrong, false), ["failed"; 20], "{wrong:?}");
    }
}
