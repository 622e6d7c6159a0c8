//! Instants as the limiters reckon them.

use std::ops::{Add, Sub};

use chrono::{DateTime, Utc};

/// An instant: whole microseconds since 1970-01-01T00:00:00Z, rounded down.
///
/// Held between the years 1684 and 2255, where a double still counts microseconds exactly; instants outside are moved
/// to the nearer end.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use mailer_core::limits::Micros;
///
/// let noon: DateTime<Utc> = "2026-11-24T12:00:00Z".parse()?;
/// let at = Micros::from(noon);
/// assert_eq!((at + 1) - at, 1);
/// assert_eq!(DateTime::from(at), noon);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(i64);

impl Micros {
    /// The instant so many microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn new(micros: i64) -> Self {
        if micros > FURTHEST {
            Self(FURTHEST)
        } else if micros < -FURTHEST {
            Self(-FURTHEST)
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Add<i64> for Micros {
    type Output = Self;

    fn add(self, micros: i64) -> Self {
        Self::new(self.0.saturating_add(micros))
    }
}

impl Sub for Micros {
    type Output = i64;

    fn sub(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl From<DateTime<Utc>> for Micros {
    fn from(at: DateTime<Utc>) -> Self {
        Self::new(at.timestamp_micros())
    }
}

impl From<Micros> for DateTime<Utc> {
    fn from(at: Micros) -> Self {
        Self::from_timestamp_micros(at.0).unwrap_or_default()
    }
}

pub(super) const MILLISECOND: i64 = 1_000;
pub(super) const SECOND: i64 = 1_000 * MILLISECOND;
pub(super) const MINUTE: i64 = 60 * SECOND;

const FURTHEST: i64 = 9_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_down_also_before_1970() {
        for (text, micros) in [
            ("1970-01-01T00:00:00.000001999Z", 1),
            ("1969-12-31T23:59:59.999999500Z", -1),
        ] {
            let at: DateTime<Utc> = text.parse().unwrap();
            assert_eq!(Micros::from(at).get(), micros);
        }
    }

    #[test]
    fn the_ends_of_time_are_held() {
        let last = Micros::from(DateTime::<Utc>::MAX_UTC);
        assert_eq!(last + i64::MAX, last);
        assert!(Micros::from(DateTime::<Utc>::MIN_UTC) < last);
        assert!(last.get() < 1 << 53);
    }
}
