use std::time::Duration;

use crate::ErrorKind;
use crate::conformance::Harness;
use crate::conformance::harness::{campaign, defer, relay, seconds, settlement};
use crate::domain::{CampaignState, Deferral, HaltCause, Policy, Reason, Scope};
use crate::gate::Verdict;
use crate::queue::{Defer, Halt, HoldChange, Settled, Wait};

fn trouble(wait: Wait) -> Defer {
    defer(Scope::Relay(relay("default")), Reason::TransientError, wait)
}

async fn held(harness: &Harness, defer: &Defer) -> Deferral {
    let held = harness.queue.defer(defer).await.unwrap();
    held.expect("it is deferred")
}

/// A shorter one changes nothing, a longer one holds.
pub async fn the_later_of_two_deferrals_holds(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let start = harness.now();
    for (wait, until) in [(300, 300), (100, 300), (600, 600)] {
        let held = held(harness, &trouble(Wait::For(seconds(wait)))).await;
        assert_eq!(held.until, Some(start + seconds(until)));
    }
    harness.pass(Duration::from_millis(599_999)).await;
    assert!(harness.try_claim(1).await.is_none());
    harness.pass(Duration::from_millis(1)).await;
    harness.claim(2).await;
}

/// Not that of the last word about it; a wait that was over starts anew.
pub async fn since_is_the_start_of_the_uninterrupted_wait(harness: &Harness) {
    let start = harness.now();
    held(harness, &trouble(Wait::For(seconds(60)))).await;
    harness.pass(seconds(30)).await;
    let longer = held(harness, &trouble(Wait::For(seconds(60)))).await;
    assert_eq!(longer.since, start);
    harness.pass(seconds(60)).await;
    let anew = held(harness, &trouble(Wait::For(seconds(60)))).await;
    assert_eq!(anew.since, harness.now());
}

/// No instant: somebody must say so.
pub async fn an_open_deferral_lasts_until_resumed(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let open = held(harness, &trouble(Wait::Open)).await;
    assert_eq!(open.until, None);
    held(harness, &trouble(Wait::For(seconds(60)))).await;
    harness.pass(seconds(1_000_000)).await;
    assert_eq!(harness.next_due(1).await, None);
    harness.queue.resume(&open.scope).await.unwrap();
    harness.claim(2).await;
}

/// As long as the policy in force says.
pub async fn trouble_waits_as_the_policy_says(harness: &Harness) {
    harness
        .set_policy(&Policy::unlimited().transient_delay(seconds(42)))
        .await;
    let held = held(harness, &trouble(Wait::AfterTrouble)).await;
    assert_eq!(held.until, Some(harness.now() + seconds(42)));
}

/// One worker's trouble is not the relay's, if another got a mail through since.
pub async fn a_relay_that_works_for_others_is_not_deferred(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 2).await;
    let before = harness.now();
    harness.pass(seconds(5)).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    harness.pass(seconds(5)).await;
    let since = |at| Defer {
        unless_sent_since: Some(at),
        ..trouble(Wait::For(seconds(60)))
    };
    assert_eq!(harness.queue.defer(&since(before)).await.unwrap(), None);
    held(harness, &since(harness.now())).await;
    let other = Defer {
        scope: Scope::Relay(relay("other")),
        ..since(before)
    };
    held(harness, &other).await;
}

/// What was refused under older rules stops nobody.
pub async fn a_deferral_of_an_older_policy_is_none(harness: &Harness) {
    let old = harness.limits(&["1/hour"]).await;
    let new = harness.limits(&["2/hour"]).await;
    let of = |version| Defer {
        policy_version: Some(version),
        ..defer(
            Scope::Namespace,
            Reason::RatePerHour,
            Wait::For(seconds(60)),
        )
    };
    assert_eq!(harness.queue.defer(&of(old)).await.unwrap(), None);
    held(harness, &of(new)).await;
}

/// No claim can come between.
pub async fn settling_defers_in_the_same_step(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    let returned = settlement(&claim, 0, Settled::Returned);
    let defer = trouble(Wait::For(seconds(60)));
    harness.queue.settle(&[returned], &[defer]).await.unwrap();
    assert!(harness.try_claim(2).await.is_none());
    harness.pass(seconds(60)).await;
    harness.claim(3).await;
}

/// However often it is said, it is said once.
pub async fn many_deferrals_leave_one_record(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    harness.submit(&campaign("c"), 1).await;
    let start = harness.now();
    for _ in 0..1_000 {
        harness.pass(Duration::from_millis(10)).await;
        held(harness, &trouble(Wait::For(seconds(60)))).await;
    }
    let last = held(harness, &trouble(Wait::For(seconds(1)))).await;
    assert_eq!(last.since, start + Duration::from_millis(10));
    assert_eq!(last.until, Some(harness.now() + seconds(60)));
    harness.pass(seconds(60)).await;
    harness.claim(1).await;
}

/// With its cause, for those who must act; what was claimed does not begin.
pub async fn a_halt_stops_until_resumed(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 200).await;
    let claim = harness.claim(1).await;
    let halt = Halt {
        stream: (&id).into(),
        cause: HaltCause::BadCredentials,
        detail: "535 no".to_owned(),
        unless_sent_since: None,
    };
    assert!(harness.queue.halt(&halt).await.unwrap());
    assert!(harness.try_claim(2).await.is_none());
    assert_eq!(harness.begin_one(&claim, 1, 0).await, Verdict::Held);
    let status = harness.ledger.status(&id).await.unwrap();
    assert_eq!(status.state, CampaignState::Halted);
    assert_eq!(status.reason_code.as_deref(), Some("bad_credentials"));
    assert_eq!(status.detail.as_deref(), Some("535 no"));
    harness.ledger.hold(&id, &HoldChange::Resume).await.unwrap();
    harness.claim(3).await;
}

/// Wrong credentials of one worker, while another sends.
pub async fn a_relay_that_works_for_others_halts_nobody(harness: &Harness) {
    harness.set_policy(&Policy::unlimited()).await;
    let id = harness.submit(&campaign("c"), 2).await;
    let halt = Halt {
        stream: (&id).into(),
        cause: HaltCause::BadCredentials,
        detail: String::new(),
        unless_sent_since: Some(harness.now()),
    };
    harness.pass(seconds(1)).await;
    let claim = harness.claim(1).await;
    harness.begin(&claim, 1, 1).await;
    harness.settle(&claim, 0, Settled::Sent).await;
    assert!(!harness.queue.halt(&halt).await.unwrap());
    harness.pass(seconds(1)).await;
    let later = Halt {
        unless_sent_since: Some(harness.now()),
        ..halt
    };
    assert!(harness.queue.halt(&later).await.unwrap());
}

/// Nobody is stopped by a wrong name.
pub async fn a_halt_of_nothing_is_not_found(harness: &Harness) {
    let nobody: crate::domain::CampaignId = "nobody".parse().unwrap();
    let halt = Halt {
        stream: (&nobody).into(),
        cause: HaltCause::TlsRefused,
        detail: String::new(),
        unless_sent_since: None,
    };
    assert_eq!(
        harness.queue.halt(&halt).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
