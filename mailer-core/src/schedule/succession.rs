//! What a policy leaves behind when another takes its place.

use chrono::{DateTime, Utc};

use crate::domain::{Limit, LimitKind, Policy, StoredPolicy};
use crate::limits::Window;

impl StoredPolicy {
    /// The version that follows on `before` at `now`. A limit whose kind or zone changes stays until its window ends, or
    /// the change would be a fresh budget.
    #[must_use]
    pub fn after(before: Option<&Self>, policy: &Policy, version: u64, now: DateTime<Utc>) -> Self {
        let retiring = before
            .into_iter()
            .flat_map(|stored| stored.retiring.iter().cloned())
            .filter(|(_, until)| *until > now);
        let replaced = before
            .into_iter()
            .flat_map(|stored| stored.policy.limits())
            .filter(|old| policy.limits().iter().any(|new| old.same_purpose(new)))
            .map(|old| (old.clone(), window_end(old, now)));
        Self {
            policy: policy.clone(),
            version,
            retiring: retiring.chain(replaced).collect(),
        }
    }
}

/// When what a limit has counted until `now` counts no more.
fn window_end(limit: &Limit, now: DateTime<Utc>) -> DateTime<Utc> {
    match limit.kind() {
        LimitKind::Calendar { unit, zone } => Window::of(*unit, zone, now.into()).end.into(),
        LimitKind::Rolling { window } => now + *window,
        LimitKind::Pace { .. } => now,
    }
}
