//! How limits count: by the calendar, in any stretch of time, or evenly spaced.

use std::fmt;
use std::time::Duration;

use super::limit_error::Rule;
use crate::calendar::Zone;

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

    pub(super) fn check(&self) -> Result<(), Rule> {
        match self {
            Self::Calendar { unit, zone } if unit.on_utc_grid() && zone.name() != "UTC" => {
                Err(Rule::NoZoneHere)
            }
            Self::Rolling { window }
                if window.subsec_nanos() != 0 || !ROLLING.contains(&window.as_secs()) =>
            {
                Err(Rule::RollingLength)
            }
            Self::Calendar { .. } | Self::Rolling { .. } | Self::Pace { .. } => Ok(()),
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

/// As in the text of a limit, after the `/`.
impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar { unit, zone } if zone.name() == "UTC" => f.write_str(unit.as_str()),
            Self::Calendar { unit, zone } => write!(f, "{}@{zone}", unit.as_str()),
            Self::Rolling { window } => {
                let (count, unit) = spoken(*window);
                write!(f, "{count}{unit} rolling")
            }
            Self::Pace { per } => write!(f, "{} pace", per.as_str()),
        }
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
