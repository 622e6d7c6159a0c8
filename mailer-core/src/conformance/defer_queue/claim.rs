use std::collections::BTreeSet;
use std::time::Duration;

use crate::conformance::Harness;
use crate::conformance::harness::{at, campaign, claim_id, message, relay, relays, room, seconds};
use crate::domain::{CampaignId, Content, Lane, Lanes, Message, Policy, Recipient};
use crate::queue::{Room, Settled};
use crate::template::Template;

/// 64 at once: each page once.
pub async fn pages_are_disjoint_under_many_claimers(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("a"), 20 * 128).await;
    harness.submit(&campaign("b"), 20 * 128).await;
    let claims = (0..64).map(|worker| {
        let harness = harness.clone();
        async move { harness.try_claim_by(claim_id(worker, 1), room()).await }
    });
    let claims = futures_util::future::join_all(claims).await;
    let claims: Vec<_> = claims.into_iter().flatten().collect();
    assert_eq!(claims.len(), 40);
    let seen: BTreeSet<(String, String)> = claims
        .iter()
        .flat_map(|claim| {
            let stream = claim.binding.stream.to_string();
            let deliveries = claim.deliveries.iter();
            deliveries.map(move |delivery| (stream.clone(), delivery.record.key().to_owned()))
        })
        .collect();
    assert_eq!(seen.len(), 2 * 20 * 128);
}

/// A lost reply: the same id, the same deliveries, the same token.
pub async fn a_claim_repeated_gets_the_same_page(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 300).await;
    let first = harness.claim(1).await;
    harness.claim(2).await;
    let again = harness.claim(1).await;
    assert_eq!((again.id, again.token), (first.id, first.token));
    let indexes = |claim: &crate::queue::Claim| -> Vec<u16> {
        claim
            .deliveries
            .iter()
            .map(|delivery| delivery.index)
            .collect()
    };
    assert_eq!(indexes(&again), indexes(&first));
    assert_eq!(again.deliveries[5].record, first.deliveries[5].record);
}

/// Also for a page that was claimed before.
pub async fn tokens_grow_with_every_claim(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 200).await;
    let mut last = 0;
    for number in 1..=6 {
        let claim = harness.claim(number).await;
        assert!(claim.token > last, "{} after {last}", claim.token);
        last = claim.token;
        harness.settle_all(&claim, Settled::NotStarted).await;
    }
}

/// Not a millisecond early: at its very instant.
pub async fn nothing_is_claimed_before_it_is_due(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let start = at("2026-11-24T12:00:00Z");
    harness.submit(&campaign("c").starts_at(start), 3).await;
    assert_eq!(harness.next_due(1).await, Some(start));
    harness
        .clock
        .advance_to(start - Duration::from_millis(1))
        .await;
    assert!(harness.try_claim(2).await.is_none());
    harness.clock.advance_to(start).await;
    assert_eq!(harness.claim(3).await.deliveries.len(), 3);
}

/// Each retry at its own time, those of one page too.
pub async fn retries_come_in_the_order_of_their_due_times(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().retry(&[seconds(60)]))
        .await;
    harness.submit(&campaign("c"), 3).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 3).await;
    for (place, after) in [(0, 300), (1, 100), (2, 200)] {
        let after = Some(seconds(after));
        harness
            .settle(&claim, place, Settled::Retry { after })
            .await;
    }
    for (number, (wait, key)) in (2..).zip([(100, "r1"), (100, "r2"), (100, "r0")]) {
        assert!(harness.try_claim(10 + number).await.is_none());
        harness.pass(seconds(wait)).await;
        let claim = harness.claim(number).await;
        assert_eq!(claim.deliveries.len(), 1);
        assert_eq!(
            claim.deliveries[0].record.key(),
            format!("{key}@example.com")
        );
        assert_eq!(claim.deliveries[0].attempt, 2);
        harness.begin(&claim, 1, 1).await;
        harness.settle(&claim, 0, Settled::Sent).await;
    }
}

/// The year 2100 is a time like any other.
pub async fn a_far_future_is_waited_for(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let start = at("2100-02-28T23:59:59.999Z");
    harness.submit(&campaign("c").starts_at(start), 1).await;
    assert!(harness.try_claim(1).await.is_none());
    assert_eq!(harness.next_due(2).await, Some(start));
    harness.clock.advance_to(start).await;
    harness.claim(3).await;
}

/// Its time is over: who is pending reads as expired, and what is claimed does not begin.
pub async fn an_expired_campaign_is_not_claimed(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let end = at("2026-11-24T10:00:00Z");
    let id = harness.submit(&campaign("c").expires_at(end), 200).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    harness
        .clock
        .advance_to(end - Duration::from_millis(1))
        .await;
    harness.tick(1, &[claim.id]).await;
    assert_eq!(harness.counts(&id).await.expired, 0);
    harness.clock.advance_to(end).await;
    assert!(harness.try_claim(2).await.is_none());
    assert_eq!(
        harness.begin_one(&claim, 2, 1).await,
        crate::gate::Verdict::Held
    );
    harness.settle(&claim, 0, Settled::Sent).await;
    let counts = harness.counts(&id).await;
    assert_eq!((counts.sent, counts.expired, counts.pending), (1, 199, 0));
}

/// A single mail too.
pub async fn an_expired_mail_is_not_claimed(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let end = at("2026-11-24T10:00:00Z");
    let mail = message("a").expires_at(end).check().unwrap();
    harness.intake.enqueue(&mail).await.unwrap();
    harness.enqueue("b", Lane::Transactional).await;
    harness.clock.advance_to(end).await;
    let claim = harness.claim(1).await;
    assert_eq!(claim.deliveries.len(), 1);
    let stream = crate::queue::StreamId::standing(&mail);
    let ticket = harness.intake.ticket(&stream, "a").await.unwrap();
    assert!(
        matches!(&ticket, crate::queue::TicketState::Done(delivery) if delivery.state == "expired"),
        "{ticket:?}"
    );
}

/// Its relays, its composers, its lanes, and no stream that it has enough of.
pub async fn only_what_the_worker_serves_is_claimed(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c").relay("r"), 300).await;
    let fits = Room {
        relays: relays(&["x", "r"]),
        ..room()
    };
    for (number, not) in (1..).zip([
        room(),
        Room {
            composers: vec!["other".to_owned()],
            ..fits.clone()
        },
        Room {
            relays: [(relay("r"), Lanes::from(Lane::Test))].into(),
            ..fits.clone()
        },
        Room {
            except: vec![(&"c".parse::<CampaignId>().unwrap()).into()],
            ..fits.clone()
        },
    ]) {
        assert!(
            harness
                .try_claim_by(claim_id(1, number), not)
                .await
                .is_none()
        );
    }
    assert!(harness.try_claim_by(claim_id(1, 9), fits).await.is_some());
}

/// The stream that is served least needs what this worker has not: the next one is taken.
pub async fn an_unserved_composer_does_not_hide_others(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let other = campaign("a").composer("other", serde_json::Value::Null);
    harness.submit(&other, 5).await;
    harness.submit(&campaign("b"), 5).await;
    assert_eq!(harness.claim(1).await.binding.stream.as_str(), "b");
}

/// A stream that was woken at its time waits again when the clock is set back before it.
pub async fn a_clock_set_back_does_not_forestall_a_start(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let start = at("2026-11-24T09:03:00Z");
    harness.submit(&campaign("c").starts_at(start), 1).await;
    harness.clock.advance_to(start).await;
    let elsewhere = Room {
        relays: relays(&["other"]),
        ..room()
    };
    assert!(
        harness
            .try_claim_by(claim_id(1, 1), elsewhere)
            .await
            .is_none()
    );
    harness.clock.set_wall(start - seconds(1));
    assert!(harness.try_claim(2).await.is_none());
    assert_eq!(harness.next_due(3).await, Some(start));
    harness.clock.advance_to(start).await;
    assert!(harness.try_claim(4).await.is_some());
}

/// A call that comes late, after its claim has been settled, does not lease another page under the same id.
pub async fn a_claim_that_was_settled_is_not_given_again(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("a"), 2).await;
    let claim = harness.claim(1).await;
    harness.settle_all(&claim, Settled::NotStarted).await;
    assert!(harness.try_claim(1).await.is_none());
    assert!(harness.try_claim(2).await.is_some());
}

/// Of a campaign and of a single mail, with all that stands in it.
pub async fn a_letter_comes_as_it_was_stored(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let campaign = campaign("c")
        .reply_to("Help <help@shop.example>")
        .verp("bounces@shop.example");
    harness.submit(&campaign, 2).await;
    let content = Content::new()
        .from("shop@shop.example")
        .return_path("bounces@shop.example")
        .template(Template::new("s").text("t"));
    let mail = Message::new("m", content, Recipient::new("ann@example.com"))
        .check()
        .unwrap();
    harness.intake.enqueue(&mail).await.unwrap();
    let stored = [mail.letter, campaign.check().unwrap().letter];
    for (number, letter) in (1..).zip(&stored) {
        let claim = harness.claim(number).await;
        assert!(!claim.deliveries.is_empty());
        for delivery in &claim.deliveries {
            assert_eq!(*delivery.letter, *letter);
        }
    }
}
