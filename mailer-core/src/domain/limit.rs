//! Limits: how much mail may begin, in how long, counted per what.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limit_error::Rule;
use super::{Lanes, LimitError, ScopeKind};
use crate::calendar::Zone;

/// At most so many sends in so long, counted per namespace, relay, sender, campaign or stream.
///
/// Written and displayed without loss:
///
/// | text | meaning |
/// |---|---|
/// | `100/hour` | 100 in each hour of the UTC clock |
/// | `1000/day@Europe/Moscow per sender` | 1000 in each Moscow day, for each sender |
/// | `300/60m rolling` | never more than 300 in *any* 60 minutes |
/// | `14/s pace per relay` | evenly spaced, 14 in a second, for each relay |
/// | `20/minute lanes bulk,transactional` | binds these lanes only |
///
/// A cap of 0 is legal and closes what it is counted for.
///
/// ```
/// use mailer_core::domain::{Limit, ScopeKind};
///
/// let limit: Limit = "1000/d@Europe/Moscow per sender".parse()?;
/// assert_eq!((limit.cap(), limit.per()), (1000, ScopeKind::Sender));
/// assert_eq!(limit.to_string(), "1000/day@Europe/Moscow per sender");
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    cap: u32,
    kind: LimitKind,
    per: ScopeKind,
    lanes: Lanes,
}

/// How a limit counts.
///
/// ```
/// use std::time::Duration;
/// use mailer_core::domain::{Limit, LimitKind};
///
/// let kind = LimitKind::Rolling { window: Duration::from_secs(3600) };
/// assert_eq!(Limit::new(300, kind)?.to_string(), "300/60m rolling");
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every kind")]
pub enum LimitKind {
    /// Starts anew with every minute, hour, day, week or month of a clock.
    Calendar {
        /// How long a window is.
        unit: Unit,
        /// Whose days these are. Minutes and hours are UTC's and take no other zone.
        zone: Zone,
    },
    /// Holds for any stretch of time of this length.
    Rolling {
        /// The length: whole seconds, 1 s to 366 days.
        window: Duration,
    },
    /// Spreads sends evenly.
    Pace {
        /// The time that `cap` sends are spread over.
        per: PaceUnit,
    },
}

/// The length of a calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "callers match every unit")]
pub enum Unit {
    /// From second 0 to second 0, UTC.
    Minute,
    /// From minute 0 to minute 0, UTC.
    Hour,
    /// A civil day of the limit's zone: 23 to 25 hours where clocks change.
    Day,
    /// Monday to Monday in the limit's zone.
    Week,
    /// The first to the first in the limit's zone.
    Month,
}

/// The time over which a pace spreads its sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "callers match every unit")]
pub enum PaceUnit {
    /// So many each second.
    Second,
    /// So many each minute.
    Minute,
    /// So many each hour.
    Hour,
}

impl Limit {
    /// At most `cap` sends, counted as `kind` says, over the whole namespace and all lanes.
    ///
    /// # Errors
    /// If the kind gives a zone to minutes or hours, or a rolling window is not whole seconds from 1 s to 366 days.
    pub fn new(cap: u32, kind: LimitKind) -> Result<Self, LimitError> {
        let broken = match &kind {
            LimitKind::Calendar { unit, zone } => {
                (unit.on_utc_grid() && zone.name() != "UTC").then_some(Rule::NoZoneHere)
            }
            LimitKind::Rolling { window } => {
                let legal = window.subsec_nanos() == 0 && ROLLING.contains(&window.as_secs());
                (!legal).then_some(Rule::RollingLength)
            }
            LimitKind::Pace { .. } => None,
        };
        let limit = Self {
            cap,
            kind,
            per: ScopeKind::Namespace,
            lanes: Lanes::ALL,
        };
        match broken {
            None => Ok(limit),
            Some(rule) => Err(LimitError::new(limit.to_string(), rule)),
        }
    }

    /// The same limit with another cap.
    #[must_use]
    pub fn with_cap(self, cap: u32) -> Self {
        Self { cap, ..self }
    }

    /// The same limit, with one counter for each scope of this kind.
    #[must_use]
    pub fn with_per(self, per: ScopeKind) -> Self {
        Self { per, ..self }
    }

    /// The same limit, binding these lanes only.
    #[must_use]
    pub fn with_lanes(self, lanes: Lanes) -> Self {
        Self { lanes, ..self }
    }

    /// How many sends. 0 is closed.
    #[must_use]
    pub const fn cap(&self) -> u32 {
        self.cap
    }

    /// How it counts.
    #[must_use]
    pub const fn kind(&self) -> &LimitKind {
        &self.kind
    }

    /// What it is counted per.
    #[must_use]
    pub const fn per(&self) -> ScopeKind {
        self.per
    }

    /// The lanes it binds. Mail of other lanes is neither stopped nor counted.
    #[must_use]
    pub const fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// What the limit is apart from its cap, as text: `day@Europe/Moscow per sender`.
    ///
    /// Limits of equal identity share their counters, so a new cap acts on what is already counted.
    #[must_use]
    pub fn identity(&self) -> String {
        Identity(self).to_string()
    }

    /// Whether both limits have the same [`identity`](Self::identity), so that they share their counters.
    #[must_use]
    pub fn same_counter(&self, other: &Self) -> bool {
        self.per == other.per && self.lanes == other.lanes && self.kind == other.kind
    }

    /// Whether `other` is this limit counted in another way: same scope kind, lanes and nominal length, but another
    /// kind or zone.
    ///
    /// When a policy replaces the one by the other, the old stays in force until its current window ends.
    #[must_use]
    pub fn same_purpose(&self, other: &Self) -> bool {
        self.per == other.per
            && self.lanes == other.lanes
            && self.kind.nominal_length() == other.kind.nominal_length()
            && self.kind != other.kind
    }
}

impl LimitKind {
    /// The length of its window, with 30 days for a month and 24 hours for a day.
    #[must_use]
    pub const fn nominal_length(&self) -> Duration {
        match self {
            Self::Calendar { unit, .. } => Duration::from_secs(match unit {
                Unit::Minute => 60,
                Unit::Hour => HOUR,
                Unit::Day => DAY,
                Unit::Week => 7 * DAY,
                Unit::Month => 30 * DAY,
            }),
            Self::Rolling { window } => *window,
            Self::Pace { per } => per.length(),
        }
    }

    /// The stable code of the reason for which a limit of this kind and cap refuses.
    #[must_use]
    pub const fn reason_code(&self, cap: u32) -> &'static str {
        match self {
            _ if cap == 0 => "limit_closed",
            Self::Calendar { unit, .. } => match unit {
                Unit::Minute => "rate_per_minute",
                Unit::Hour => "rate_per_hour",
                Unit::Day => "rate_per_day",
                Unit::Week => "rate_per_week",
                Unit::Month => "rate_per_month",
            },
            Self::Rolling { .. } => "rate_rolling",
            Self::Pace { .. } => "pacing",
        }
    }
}

impl Unit {
    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    pub(crate) const fn on_utc_grid(self) -> bool {
        matches!(self, Self::Minute | Self::Hour)
    }
}

impl PaceUnit {
    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => HOUR,
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cap, Identity(self))
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limit({self})")
    }
}

impl TryFrom<String> for Limit {
    type Error = LimitError;

    fn try_from(text: String) -> Result<Self, LimitError> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

struct Identity<'a>(&'a Limit);

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            LimitKind::Calendar { unit, zone } if zone.name() == "UTC" => {
                f.write_str(unit.as_str())?;
            }
            LimitKind::Calendar { unit, zone } => write!(f, "{}@{zone}", unit.as_str())?,
            LimitKind::Rolling { window } => {
                let (count, unit) = spoken(*window);
                write!(f, "{count}{unit} rolling")?;
            }
            LimitKind::Pace { per } => write!(f, "{} pace", per.as_str())?,
        }
        if self.0.per != ScopeKind::Namespace {
            write!(f, " per {}", self.0.per)?;
        }
        if self.0.lanes != Lanes::ALL {
            write!(f, " lanes {}", self.0.lanes)?;
        }
        Ok(())
    }
}

/// A length as people say it: 60m and 24h rather than 1h and 1d, so in the longest unit that fits at least twice.
fn spoken(window: Duration) -> (u64, char) {
    let seconds = window.as_secs();
    [(DAY, 'd'), (HOUR, 'h'), (60, 'm')]
        .into_iter()
        .find(|&(unit, _)| seconds.is_multiple_of(unit) && seconds / unit >= 2)
        .map_or((seconds, 's'), |(unit, name)| (seconds / unit, name))
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const ROLLING: std::ops::RangeInclusive<u64> = 1..=366 * DAY;
