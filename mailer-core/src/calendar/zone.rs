//! A time zone by its IANA name.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A time zone of the IANA database, known by its name.
///
/// The rules come from the machine's zone database; where the machine has none, from a copy compiled in.
/// Compared and displayed by name.
///
/// ```
/// use mailer_core::calendar::Zone;
///
/// let zone: Zone = "Europe/Moscow".parse()?;
/// assert_eq!(zone.to_string(), "Europe/Moscow");
/// assert!("Europe/Atlantis".parse::<Zone>().is_err());
/// # Ok::<(), mailer_core::calendar::ZoneError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// The name of no zone that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: write an IANA name, such as Europe/Moscow or UTC")]
pub struct ZoneError(pub(crate) String);

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::get("UTC").unwrap_or(TimeZone::UTC))
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub(crate) fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// The first instant whose civil date in this zone is `date` or a later one.
    ///
    /// Right also where the clock skips midnight, a whole day, or runs a date twice.
    pub(crate) fn day_start(&self, date: Date) -> Timestamp {
        // At an overlap of midnight "compatible" takes the earlier reading, at a gap the instant of the jump
        // plus the distance into the gap; walk back to the jump itself.
        let naive = self
            .0
            .to_ambiguous_timestamp(date.at(0, 0, 0, 0))
            .compatible()
            .unwrap_or(Timestamp::MAX);
        match self.0.preceding(naive).next() {
            Some(jump)
                if self.0.to_datetime(jump.timestamp()).date() >= date
                    && jump.timestamp() < naive =>
            {
                jump.timestamp()
            }
            _ => naive,
        }
    }

    /// The civil date that the clock on the wall shows at `at`.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        self.0.to_datetime(at).date()
    }
}

pub(crate) fn to_jiff(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_nanosecond(
        i128::from(at.timestamp()) * 1_000_000_000 + i128::from(at.timestamp_subsec_nanos()),
    )
    .unwrap_or(if at.timestamp() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

pub(crate) fn to_chrono(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(at.as_second(), at.subsec_nanosecond().unsigned_abs())
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, ZoneError> {
        TimeZone::get(name)
            .map(Self)
            .map_err(|_| ZoneError(name.to_owned()))
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({self})")
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}
