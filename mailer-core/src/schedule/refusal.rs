//! Until when a closed hour or a used-up limit defers, and why.

use chrono::{DateTime, Utc};

use crate::calendar::{NoOpening, WorkCalendar};
use crate::domain::{Deferral, Lane, Policy, Reason, Scope};
use crate::gate::Binding;
use crate::limiter::Refusal;

/// The first instant from `at` on at which all calendars are open. Without any: `at`.
pub(crate) fn next_open(
    calendars: &[&WorkCalendar],
    at: DateTime<Utc>,
) -> Result<DateTime<Utc>, NoOpening> {
    // Each round moves to the latest opening; two calendars of weeks meet within their horizon or never.
    let mut candidate = at;
    for _ in 0..1_000 {
        let mut latest = candidate;
        for calendar in calendars {
            latest = latest.max(calendar.next_open(candidate)?);
        }
        if latest == candidate {
            return Ok(candidate);
        }
        candidate = latest;
    }
    Err(NoOpening {
        searched_until: candidate,
    })
}

/// The deferral of who meets closed hours at `now`. None: they are open.
pub(crate) fn of_hours(
    binding: &Binding,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Option<Deferral>, NoOpening> {
    let calendars: Vec<&WorkCalendar> = binding.hours(policy).collect();
    if calendars.iter().all(|calendar| calendar.is_open(now)) {
        return Ok(None);
    }
    let policy_closed = policy
        .hours_for(binding.lane)
        .is_some_and(|hours| !hours.is_open(now));
    // What closes the policy's hours closes them for all: one record for the whole lane, as far as the policy reaches.
    let (scope, until) = if policy_closed {
        let own: Vec<&WorkCalendar> = policy.hours_for(binding.lane).into_iter().collect();
        (Scope::Namespace, next_open(&own, now)?)
    } else {
        let id = binding.scope(crate::domain::ScopeKind::Campaign);
        (id, next_open(&calendars, now)?)
    };
    // A campaign whose own hours never meet the policy's has no opening, though the policy has.
    next_open(&calendars, now)?;
    Ok(Some(Deferral {
        scope,
        lane: Some(binding.lane),
        reason: Reason::OutsideHours,
        until: Some(until),
        since: now,
        detail: None,
    }))
}

/// Until when a token may be used: nothing begins after the hours have closed.
pub(crate) fn send_by(
    binding: &Binding,
    policy: &Policy,
    use_by: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    binding
        .hours(policy)
        .filter_map(|calendar| calendar.closes(now))
        .fold(use_by, DateTime::min)
}

/// The deferral that a refusal of the limiter causes: until the first instant at which limits and hours both agree.
pub(crate) fn of_limits(
    binding: &Binding,
    policy: &Policy,
    refusal: &Refusal,
    now: DateTime<Utc>,
) -> Result<Deferral, NoOpening> {
    let calendars: Vec<&WorkCalendar> = binding.hours(policy).collect();
    let (until, detail) = match refusal.retry_at {
        None => (None, None),
        Some(retry_at) => {
            let open = next_open(&calendars, retry_at)?;
            let moved = (open > retry_at).then(|| Reason::OutsideHours.code().to_owned());
            (Some(open), moved)
        }
    };
    Ok(Deferral {
        scope: refusal.scope.clone(),
        lane: Some(binding.lane),
        reason: refusal.reason.clone(),
        until,
        since: now,
        detail,
    })
}

/// Nothing is sent without a policy.
pub(crate) fn no_policy(lane: Option<Lane>, now: DateTime<Utc>) -> Deferral {
    Deferral {
        scope: Scope::Namespace,
        lane,
        reason: Reason::NoPolicy,
        until: None,
        since: now,
        detail: None,
    }
}
