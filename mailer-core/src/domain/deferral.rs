//! The one record of a wait.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{Lane, Reason, Scope};

/// A scope waits: why, until when, since when.
///
/// Deferrals belong to scopes: one record closes the namespace, a relay, a sender or one campaign, for one lane or for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deferral {
    /// What waits.
    pub scope: Scope,
    /// Which lane of it; all, if none is named.
    pub lane: Option<Lane>,
    /// Why.
    pub reason: Reason,
    /// Until when. None: until the policy changes, or somebody resumes it.
    pub until: Option<DateTime<Utc>>,
    /// The start of this uninterrupted wait.
    pub since: DateTime<Utc>,
    /// What else is to be known: what moved `until`, or the relay's own words.
    pub detail: Option<String>,
}

impl Deferral {
    /// A wait of a whole scope that begins at `since` and has no known end.
    #[must_use]
    pub const fn new(scope: Scope, reason: Reason, since: DateTime<Utc>) -> Self {
        Self {
            scope,
            lane: None,
            reason,
            until: None,
            since,
            detail: None,
        }
    }

    /// Whether it still holds at `now`.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// The instant of ending as a sort key: never is last.
    pub(crate) fn end(&self) -> DateTime<Utc> {
        self.until.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl fmt::Display for Deferral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        match self.until {
            Some(until) => write!(
                f,
                ", next run {}",
                until.to_rfc3339_opts(SecondsFormat::Secs, true)
            )?,
            None => f.write_str(", until it is resumed or the policy changes")?,
        }
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}
