//! The rules of a namespace: limits, hours, delays.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Lane, Lanes, Limit, LimitError, Span, SpanError};
use crate::calendar::{CalendarError, WorkCalendar};

/// The rules under which a namespace sends. Lives in the store, versioned, so that processes cannot disagree.
///
/// ```
/// use mailer_core::domain::Policy;
///
/// let policy = Policy::new().limit("100/hour")?.hours("Mon-Fri 09:00-18:00", "Europe/Moscow")?;
/// assert_eq!(policy.limits().len(), 1);
/// # Ok::<(), mailer_core::domain::PolicyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    limits: Vec<Limit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<Hours>,
    /// The wait after relay trouble.
    #[serde(default = "default_transient_delay")]
    transient_delay: Span,
    /// The waits before the second, third, ... attempt for a recipient that the relay refused for now.
    #[serde(default = "default_retry")]
    retry: Vec<Span>,
    /// The percentage of every limit that is kept from `Bulk`.
    #[serde(default)]
    reserved_percent: u8,
}

/// Working hours and the lanes they bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    #[serde(flatten)]
    calendar: WorkCalendar,
    lanes: Lanes,
}

/// A policy's rule that is not legal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A limit's text is not legal.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The hours' text or the zone is not legal.
    #[error(transparent)]
    Hours(#[from] CalendarError),
    /// A duration's text is not legal.
    #[error(transparent)]
    Span(#[from] SpanError),
    /// A reserved share of over 100.
    #[error("a reserved share is 0 to 100 percent, not {0}")]
    Reserved(u8),
}

impl Policy {
    /// No limit, no hours; 5 minutes' wait after relay trouble; five attempts for a recipient over about eight hours.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limits: Vec::new(),
            hours: None,
            transient_delay: default_transient_delay(),
            retry: default_retry(),
            reserved_percent: 0,
        }
    }

    /// The one explicit word for "send at any time, as much as there is".
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new()
    }

    /// Adds a limit, such as `100/hour` or `300/60m rolling per sender`.
    ///
    /// # Errors
    /// If the text is no limit.
    pub fn limit(mut self, spec: &str) -> Result<Self, PolicyError> {
        self.limits.push(spec.parse()?);
        Ok(self)
    }

    /// Replaces all limits.
    ///
    /// ```
    /// use mailer_core::domain::Policy;
    ///
    /// let policy = Policy::new().limit("100/hour")?;
    /// assert!(policy.with_limits([]).limits().is_empty());
    /// # Ok::<(), mailer_core::domain::PolicyError>(())
    /// ```
    #[must_use]
    pub fn with_limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.limits = limits.into_iter().collect();
        self
    }

    /// Sets the hours of campaigns, such as `Mon-Fri 09:00-18:00` in `Europe/Moscow`. Other lanes leave at any hour.
    ///
    /// # Errors
    /// If the text is no hours or the zone is unknown; all faults are named.
    pub fn hours(self, hours: &str, zone: &str) -> Result<Self, PolicyError> {
        Ok(self.calendar(WorkCalendar::parse(hours, zone)?, Lanes::BULK))
    }

    /// Sets the working hours, and the lanes they bind.
    #[must_use]
    pub fn calendar(mut self, calendar: WorkCalendar, lanes: Lanes) -> Self {
        self.hours = Some(Hours { calendar, lanes });
        self
    }

    /// The wait after relay trouble, where the relay names none.
    #[must_use]
    pub fn transient_delay(mut self, delay: Duration) -> Self {
        self.transient_delay = Span(delay);
        self
    }

    /// The waits before the second, third, ... attempt for a recipient that the relay refused for now. After the last
    /// the delivery has failed; an empty list means one attempt.
    #[must_use]
    pub fn retry(mut self, delays: &[Duration]) -> Self {
        self.retry = delays.iter().copied().map(Span).collect();
        self
    }

    /// Keeps a percentage of every limit from `Bulk`, for the lanes that go first. `Bulk` keeps at least one.
    ///
    /// # Errors
    /// If it is over 100.
    pub fn reserved(mut self, percent: u8) -> Result<Self, PolicyError> {
        if percent > 100 {
            return Err(PolicyError::Reserved(percent));
        }
        self.reserved_percent = percent;
        Ok(self)
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The working hours, where `lane` is bound by any.
    #[must_use]
    pub fn hours_for(&self, lane: Lane) -> Option<&WorkCalendar> {
        self.hours
            .as_ref()
            .filter(|hours| hours.lanes.contains(lane))
            .map(|hours| &hours.calendar)
    }

    /// The wait after relay trouble.
    #[must_use]
    pub fn delay_after_trouble(&self) -> Duration {
        self.transient_delay.0
    }

    /// The wait after a recipient's refused attempt number `attempt` (from 1). None: it was the last.
    #[must_use]
    pub fn delay_after_attempt(&self, attempt: u32) -> Option<Duration> {
        let index = usize::try_from(attempt.max(1) - 1).unwrap_or(usize::MAX);
        self.retry.get(index).map(|span| span.0)
    }

    /// The percentage of every limit that is kept from `Bulk`.
    #[must_use]
    pub fn reserved_percent(&self) -> u8 {
        self.reserved_percent.min(100)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limits.as_slice() {
            [] => writeln!(f, "limits           none")?,
            limits => {
                for limit in limits {
                    writeln!(f, "limit            {limit}")?;
                }
            }
        }
        match &self.hours {
            None => writeln!(f, "hours            always")?,
            Some(hours) => {
                writeln!(
                    f,
                    "hours            {} (lanes {})",
                    hours.calendar, hours.lanes
                )?;
            }
        }
        writeln!(f, "transient delay  {}", self.transient_delay)?;
        write!(f, "retries          ")?;
        for (i, span) in self.retry.iter().enumerate() {
            write!(f, "{}{span}", if i > 0 { ", " } else { "" })?;
        }
        write!(f, "\nreserved         {} %", self.reserved_percent)
    }
}

/// A policy as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct StoredPolicy {
    /// The rules.
    pub policy: Policy,
    /// Counts up with every change, from 1.
    pub version: u64,
    /// Limits of the version before, whose kind or zone changed: in force until their current window ends.
    #[serde(default)]
    pub retiring: Vec<(Limit, DateTime<Utc>)>,
}

fn default_transient_delay() -> Span {
    Span(Duration::from_secs(300))
}

fn default_retry() -> Vec<Span> {
    [10, 30, 60, 120, 240]
        .into_iter()
        .map(|minutes| Span(Duration::from_secs(60 * minutes)))
        .collect()
}
