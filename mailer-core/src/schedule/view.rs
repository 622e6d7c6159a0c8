//! What is shown of a stream: a projection of what its store knows.

use chrono::{DateTime, Utc};

use super::campaign::{self, Facts};
use super::{DeliveryState, refusal};
use crate::domain::{
    CampaignSpec, CampaignState, Counts, Deferral, Failure, HaltCause, Reason, Record, Scope,
    ScopeKind, Status, StoredPolicy,
};
use crate::gate::Binding;
use crate::queue::{Delivery, Hold, Tick};

/// What a store knows of a stream at one instant.
///
/// ```
/// use mailer_core::domain::{Campaign, CampaignState, Counts, Policy, Reason, StoredPolicy};
/// use mailer_core::gate::Binding;
/// use mailer_core::schedule::View;
/// use mailer_core::template::Template;
///
/// let campaign = Campaign::new("spring").from("news@shop.example").template(Template::new("Spring").text("..."));
/// let spec = campaign.check().unwrap();
/// let now = "2026-11-24T09:00:00Z".parse()?;
/// let view = View {
///     binding: &Binding::of_campaign(&spec),
///     spec: Some(&spec),
///     counts: Counts { total: 2, pending: 2, ..Counts::default() },
///     hold: None,
///     sealed_at: Some(now),
///     begun_at: None,
///     finished_at: None,
///     next_due: Some(now),
///     retry_words: None,
///     deferral: None,
///     unserved: Some(Reason::NoWorker),
/// };
/// let policy = StoredPolicy::after(None, &Policy::unlimited(), 1, now);
/// let status = view.status(Some(&policy), now).unwrap();
/// assert_eq!((status.state, status.reason_code.as_deref()), (CampaignState::Deferred, Some("no_worker")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct View<'a> {
    /// Its lane, scopes and own rules.
    pub binding: &'a Binding,
    /// Its campaign; none for a standing stream.
    pub spec: Option<&'a CampaignSpec>,
    /// Its deliveries by their marks, before cancelling or expiry is taken into account.
    pub counts: Counts,
    /// What stops it beside deferrals.
    pub hold: Option<&'a Hold>,
    /// When its recipients were all stored.
    pub sealed_at: Option<DateTime<Utc>>,
    /// When its first mail began.
    pub begun_at: Option<DateTime<Utc>>,
    /// When its last delivery became final, or it was cancelled.
    pub finished_at: Option<DateTime<Utc>>,
    /// When the earliest delivery that nobody has in hand is due.
    pub next_due: Option<DateTime<Utc>>,
    /// The relay's words about the recipient that is due then.
    pub retry_words: Option<String>,
    /// The latest among the deferrals of its scopes that holds.
    pub deferral: Option<Deferral>,
    /// Why no living worker serves it, if none does.
    pub unserved: Option<Reason>,
}

impl View<'_> {
    /// What the campaign is doing. `None` for a standing stream.
    #[must_use]
    pub fn status(&self, policy: Option<&StoredPolicy>, now: DateTime<Utc>) -> Option<Status> {
        let spec = self.spec?;
        let deferral = self.wait(policy, now);
        let never = self.no_opening(policy, now);
        let mut facts = self.facts(now);
        facts.deferral = deferral.as_ref();
        facts.hold = facts.hold.or(never.as_ref());
        let shown = campaign::show(&facts);
        Some(Status {
            campaign: spec.id.clone(),
            state: shown.state,
            reason_code: shown.reason_code,
            reason_text: shown.reason_text,
            detail: shown.detail,
            next_run_at: shown.next_run_at,
            since: shown.since,
            policy_version: policy.map_or(0, |stored| stored.version),
            counts: shown.counts,
            submitted_at: self.sealed_at,
            started_at: self.begun_at,
            finished_at: self.ended_at(now),
        })
    }

    /// Why it does not send at `now`, whether or not any worker has met the reason yet.
    #[must_use]
    pub fn wait(&self, policy: Option<&StoredPolicy>, now: DateTime<Utc>) -> Option<Deferral> {
        let since = self.sealed_at.unwrap_or(now);
        let own = self.binding.scope(ScopeKind::Campaign);
        let wait = |scope: Scope, reason: Reason, until: Option<DateTime<Utc>>| Deferral {
            lane: Some(self.binding.lane),
            until,
            ..Deferral::new(scope, reason, since)
        };
        let Some(stored) = policy else {
            return Some(refusal::no_policy(None, since));
        };
        let scheduled = self
            .spec
            .and_then(|spec| spec.starts_at)
            .filter(|at| *at > now)
            .map(|at| wait(own.clone(), Reason::Scheduled, Some(at)));
        let closed = refusal::of_hours(self.binding, &stored.policy, now)
            .ok()
            .flatten()
            .map(|deferral| Deferral { since, ..deferral });
        // `max_by_key` takes the last of equals: the book knows since when, so it comes last.
        let known = scheduled
            .into_iter()
            .chain(closed)
            .chain(self.deferral.clone())
            .max_by_key(Deferral::end);
        if known.is_some() {
            return known;
        }
        if self.counts.in_flight > 0 {
            return None;
        }
        let retry_at = self.next_due.filter(|due| *due > now);
        if let Some(due) = retry_at.filter(|_| self.counts.pending == 0) {
            return Some(Deferral {
                detail: self.retry_words.clone(),
                ..wait(own, Reason::RecipientRetry, Some(due))
            });
        }
        self.unserved.clone().map(|reason| wait(own, reason, None))
    }

    /// What is left of it when it is purged, if it has ended.
    #[must_use]
    pub fn final_counts(&self, now: DateTime<Utc>) -> Option<Counts> {
        self.ended_at(now)
            .map(|_| campaign::counts(&self.facts(now)))
    }

    /// Its state as far as holds, counts and time say, without any deferral.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> CampaignState {
        campaign::state(&self.facts(now))
    }

    /// When it ended, if it has. Time alone can end it: nothing is then done to it.
    #[must_use]
    pub fn ended_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let expires_at = self.spec.and_then(|spec| spec.expires_at);
        self.finished_at
            .or_else(|| expires_at.filter(|_| self.is_over(now)))
    }

    /// Whether nothing more will happen to it by itself.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.state(now).is_final() && self.counts.in_flight == 0
    }

    /// What a delivery that still waits has become, if its campaign was cancelled or has expired.
    #[must_use]
    pub fn ending(&self, now: DateTime<Utc>) -> Option<DeliveryState> {
        match (self.hold, self.has_expired(now)) {
            (Some(Hold::Cancelled), _) => Some(DeliveryState::Cancelled),
            (_, true) => Some(DeliveryState::Expired),
            _ => None,
        }
    }

    fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.spec
            .and_then(|spec| spec.expires_at)
            .is_some_and(|at| at <= now)
    }

    fn facts(&self, now: DateTime<Utc>) -> Facts<'_> {
        Facts {
            sealed: self.spec.is_none() || self.sealed_at.is_some(),
            hold: self.hold,
            deferral: None,
            counts: self.counts,
            begun: self.begun_at.is_some(),
            expired: self.has_expired(now),
        }
    }

    /// A calendar that never opens halts, whether or not any worker has met it yet.
    fn no_opening(&self, policy: Option<&StoredPolicy>, now: DateTime<Utc>) -> Option<Hold> {
        let never = refusal::of_hours(self.binding, &policy?.policy, now).err()?;
        Some(Hold::Halted {
            cause: HaltCause::NoOpening,
            detail: never.to_string(),
        })
    }
}

/// Why none of the living workers serves a stream of this relay and composer, if none does.
///
/// ```
/// # use mailer_core::domain::{Content, Message, Reason, Recipient};
/// # use mailer_core::template::Template;
/// use mailer_core::gate::Binding;
/// use mailer_core::schedule::unserved;
///
/// # let content = Content::new().from("shop@shop.example").template(Template::new("Receipt").text("Thanks."));
/// # let mail = Message::new("receipt-17", content, Recipient::new("ann@example.com")).check().unwrap();
/// assert_eq!(unserved([], &Binding::of_message(&mail), None), Some(Reason::NoWorker));
/// ```
#[must_use]
pub fn unserved<'a>(
    workers: impl IntoIterator<Item = &'a Tick>,
    binding: &Binding,
    composer: Option<&str>,
) -> Option<Reason> {
    let mut missing = Reason::NoWorker;
    for tick in workers {
        if !tick.relays.contains(&binding.relay) {
            continue;
        }
        if composer.is_none_or(|composer| tick.composers.iter().any(|own| own == composer)) {
            return None;
        }
        missing = Reason::ComposerMissing;
    }
    Some(missing)
}

/// What a store knows of one delivery beside its recipient.
///
/// ```
/// use mailer_core::domain::Recipient;
/// use mailer_core::schedule::{DeliveryState, Mark};
///
/// let ann = Recipient::new("ann@example.com").check().unwrap();
/// let mark = Mark { state: DeliveryState::Pending, ..Mark::default() };
/// assert_eq!(mark.show(&ann, Some(DeliveryState::Cancelled)).state, "cancelled");
/// ```
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Mark {
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// Attempts that were charged to it.
    pub attempts: u32,
    /// When it is tried again.
    pub due: Option<DateTime<Utc>>,
    /// Whether some attempt of it is or was in doubt.
    pub in_doubt: bool,
    /// The relay's words; empty for none.
    pub detail: String,
}

impl Mark {
    /// The delivery as it is shown, in a campaign that [ended](View::ending) like this, if it did.
    #[must_use]
    pub fn show(self, record: &Record, ending: Option<DeliveryState>) -> Delivery {
        let shown = ending
            .filter(|_| self.state.is_waiting())
            .unwrap_or(self.state);
        Delivery {
            key: record.key().to_owned(),
            address: record.to.address().as_str().to_owned(),
            state: shown.as_str().to_owned(),
            failure: self.failure,
            attempts: self.attempts,
            due: self.due.filter(|_| shown == DeliveryState::Retry),
            in_doubt: self.in_doubt,
            detail: Some(self.detail).filter(|detail| !detail.is_empty()),
        }
    }
}
