//! What a gate tells of the tokens that are left. It need not, but what it tells is true.

use chrono::{DateTime, TimeDelta, Utc};

use crate::conformance::Harness;
use crate::conformance::harness::{batch, campaign, is_go, relay, seconds, went};
use crate::domain::{Lane, PAGE_SIZE, Policy, Scope};
use crate::gate::{BeginReply, Left};
use crate::queue::Claim;
use crate::schedule::term::SHORT_WAIT;

/// Two begin, then as many as were left, and no more: under limits of every kind, of several scopes, and under one that the
/// policy has replaced and whose window has not ended.
pub async fn as_many_as_it_tells_are_left_begin(harness: &Harness) {
    harness.submit(&campaign("c"), 6 * PAGE_SIZE).await;
    for (number, policies) in (1..).zip([
        &[&["9/hour"][..]][..],
        &[&["8/30m rolling"]],
        &[&["90/s pace"]],
        &[&[
            "40/day",
            "6/minute per sender",
            "5/10m rolling per campaign",
        ]],
        &[&["7/hour per relay", "20/day@Europe/Moscow"]],
        &[&["9/hour"], &["40/60m rolling"]],
    ]) {
        harness.pass(seconds(86_400)).await;
        for limits in policies {
            harness.limits(limits).await;
        }
        let claim = harness.claim(number).await;
        let mut asked = Asked::new(harness, &claim);
        let left = left(&asked.begin(2).await, Lane::Bulk);
        let begun = asked.begin(10).await;
        if let Some(left) = left {
            assert_eq!(went(&begun.verdicts), left.tokens as usize, "{policies:?}");
        }
    }
}

/// Of what is kept from `Bulk` the other lanes are told, and it is not.
pub async fn each_lane_is_told_what_is_left_for_it(harness: &Harness) {
    let policy = Policy::new().limit("10/hour").unwrap();
    harness.set_policy(&policy.reserved(30).unwrap()).await;
    for key in ["a", "b", "c", "d", "e"] {
        harness.enqueue(key, Lane::Transactional).await;
    }
    let before = harness.claim(1).await;
    harness.submit(&campaign("c"), 20).await;
    let bulk = harness.claim(2).await;
    for (claim, lane, first, tokens) in [
        (&bulk, Lane::Bulk, 7, 0),
        (&before, Lane::Transactional, 1, 2),
    ] {
        let mut asked = Asked::new(harness, claim);
        if let Some(left) = left(&asked.begin(first).await, lane) {
            assert_eq!(left.tokens, tokens, "{lane:?}");
        }
        let more = asked.begin(4).await;
        assert_eq!(went(&more.verdicts), tokens as usize, "{lane:?}");
    }
}

/// Not an instant before, and only where that is soon: a worker waits for it with the mails in hand.
pub async fn a_token_is_free_when_it_tells_that_there_is_one(harness: &Harness) {
    harness.submit(&campaign("c"), 4 * PAGE_SIZE).await;
    for (number, (limits, at)) in (1..).zip([
        (&["4/s pace"][..], Some("2026-11-24T09:00:00.250Z")),
        (&["2/s pace", "50/s pace per sender"], None),
        (&["1/hour"], None),
        (&["1/s pace", "2/day"], None),
    ]) {
        harness.limits(limits).await;
        let claim = harness.claim(number).await;
        let mut asked = Asked::new(harness, &claim);
        let reply = asked.begin(2).await;
        let Some(Left { tokens, more_at }) = left(&reply, Lane::Bulk) else {
            continue;
        };
        assert_eq!(tokens, 0, "{limits:?}");
        if let Some(at) = at {
            assert_eq!(more_at, Some(at.parse::<DateTime<Utc>>().unwrap()));
        }
        let Some(more_at) = more_at else { continue };
        assert!(more_at - reply.server_now < SHORT_WAIT, "{more_at}");
        harness
            .clock
            .advance_to(more_at - TimeDelta::milliseconds(1))
            .await;
        assert_eq!(went(&asked.begin(1).await.verdicts), 0, "{limits:?}");
        harness.clock.advance_to(more_at).await;
        assert!(is_go(&asked.begin(1).await.verdicts[0]), "{limits:?}");
    }
}

/// One delivery after the other of a claim, each asked for once.
struct Asked<'a> {
    harness: &'a Harness,
    claim: &'a Claim,
    call: u32,
    next: usize,
}

impl<'a> Asked<'a> {
    fn new(harness: &'a Harness, claim: &'a Claim) -> Self {
        Self {
            harness,
            claim,
            call: 0,
            next: 0,
        }
    }

    async fn begin(&mut self, n: usize) -> BeginReply {
        self.call += 1;
        let places = self.next..self.next + n;
        self.next = places.end;
        let version = self.harness.version().await;
        let batch = batch(version, self.claim, self.call, places);
        self.harness.gate.begin(&batch).await.unwrap()
    }
}

/// The least that is told of what binds the campaign; none if nothing is told.
fn left(reply: &BeginReply, lane: Lane) -> Option<Left> {
    let scopes = [
        Scope::Namespace,
        Scope::Relay(relay("default")),
        Scope::sender("news@shop.example"),
        Scope::Campaign("c".to_owned()),
    ];
    for (scope, of, _) in reply.scarce.iter() {
        assert!(scopes.contains(scope) && of == lane, "{:?}", reply.scarce);
    }
    reply
        .scarce
        .iter()
        .map(|(.., left)| left)
        .min_by_key(|left| left.tokens)
}
