//! A time zone by its IANA name.

use std::fmt;
use std::str::FromStr;

#[cfg(test)]
use chrono::{DateTime, Utc};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

/// A time zone of the IANA database, known by its name.
///
/// The rules come from the machine's zone database; a zone that the machine does not have comes from a copy
/// compiled in. They are read once, when the name is parsed. Names match in any case, links such as
/// `Asia/Calcutta` keep their own name. Compared and displayed by name.
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

/// The name of no zone that means the same everywhere.
///
/// ```
/// use mailer_core::calendar::Zone;
///
/// let error = "Europe/Atlantis".parse::<Zone>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown time zone \"Europe/Atlantis\""));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: write an IANA name, such as Europe/Moscow or UTC")]
pub struct ZoneError(pub(crate) String);

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Seconds that the clock on the wall is ahead of UTC at `second` (Unix time, any value).
    pub(crate) fn offset_at(&self, second: i64) -> i64 {
        i64::from(self.0.to_offset(nearest(second)).seconds())
    }

    /// The first second after `second` at which the offset may change.
    pub(super) fn shift_after(&self, second: i64) -> Option<i64> {
        let shift = self.0.following(nearest(second)).next()?;
        Some(shift.timestamp().as_second())
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
            .unwrap_or(if date.year() < 0 {
                Timestamp::MIN
            } else {
                Timestamp::MAX
            });
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

/// The instant of a Unix second; beyond the years jiff knows, the last one it knows.
fn nearest(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
pub(crate) fn to_jiff(at: DateTime<Utc>) -> Timestamp {
    let nanos = i128::from(at.timestamp()) * NANOS + i128::from(at.timestamp_subsec_nanos());
    Timestamp::from_nanosecond(nanos).unwrap_or_else(|_| nearest(at.timestamp()))
}

#[cfg(test)]
pub(crate) fn to_chrono(at: Timestamp) -> DateTime<Utc> {
    // jiff counts fractions away from zero, chrono always upwards.
    let nanos = at.as_nanosecond();
    i64::try_from(nanos.div_euclid(NANOS))
        .ok()
        .zip(u32::try_from(nanos.rem_euclid(NANOS)).ok())
        .and_then(|(second, fraction)| DateTime::from_timestamp(second, fraction))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
const NANOS: i128 = 1_000_000_000;

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, ZoneError> {
        if depends_on_the_machine(name) {
            return Err(ZoneError(name.to_owned()));
        }
        // jiff turns to its own copy only where the machine has no database at all, not for a zone missing from
        // a thinned-out one.
        TimeZone::get(name)
            .or_else(|_| TimeZoneDatabase::bundled().get(name))
            .map(Self)
            .map_err(|_| ZoneError(name.to_owned()))
    }
}

/// A database on disk also answers to names that another machine reads differently or does not have.
fn depends_on_the_machine(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["localtime", "posixrules", "etc/unknown"].contains(&name.as_str())
        || ["posix/", "right/"]
            .iter()
            .any(|copy| name.starts_with(copy))
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

#[cfg(test)]
mod tests;
