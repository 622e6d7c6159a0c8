//! Lanes: which mail goes first.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What kind of mail it is, and so who goes first: `Test`, then `Transactional`, then `Bulk`.
///
/// ```
/// use mailer_core::domain::Lane;
///
/// assert!(Lane::Test < Lane::Bulk);
/// assert_eq!("bulk".parse(), Ok(Lane::Bulk));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "callers match every lane")]
pub enum Lane {
    /// A mail that somebody waits for while looking at the screen: a test of settings or of a campaign.
    Test,
    /// One mail to one person that was asked for: a password reset, a receipt.
    Transactional,
    /// A campaign.
    Bulk,
}

/// The lane's name is none of `test`, `transactional`, `bulk`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown lane {0:?}: write test, transactional or bulk")]
pub struct LaneError(String);

impl Lane {
    /// Every lane, first who goes first.
    pub const ALL: [Self; 3] = [Self::Test, Self::Transactional, Self::Bulk];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Transactional => "transactional",
            Self::Bulk => "bulk",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Lane {
    type Err = LaneError;

    fn from_str(name: &str) -> Result<Self, LaneError> {
        Self::ALL
            .into_iter()
            .find(|lane| lane.as_str() == name)
            .ok_or_else(|| LaneError(name.to_owned()))
    }
}

/// A set of lanes that a rule binds. Written `bulk` or `transactional,bulk`.
///
/// ```
/// use mailer_core::domain::{Lane, Lanes};
///
/// let lanes: Lanes = "transactional,bulk".parse()?;
/// assert!(lanes.contains(Lane::Bulk) && !lanes.contains(Lane::Test));
/// assert_eq!(lanes.to_string(), "transactional,bulk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lanes(u8);

impl Lanes {
    /// All lanes.
    pub const ALL: Self = Self(0b111);
    /// None.
    pub const NONE: Self = Self(0);
    /// Campaigns alone.
    pub const BULK: Self = Self(0b100);

    /// Whether the rule binds `lane`.
    #[must_use]
    pub const fn contains(self, lane: Lane) -> bool {
        self.0 & (1 << lane as u8) != 0
    }

    /// The set with `lane`.
    #[must_use]
    pub const fn with(self, lane: Lane) -> Self {
        Self(self.0 | (1 << lane as u8))
    }

    /// The lanes of the set, first who goes first.
    pub fn iter(self) -> impl Iterator<Item = Lane> {
        Lane::ALL
            .into_iter()
            .filter(move |&lane| self.contains(lane))
    }
}

impl From<Lane> for Lanes {
    fn from(lane: Lane) -> Self {
        Self(1 << lane as u8)
    }
}

impl FromStr for Lanes {
    type Err = LaneError;

    fn from_str(text: &str) -> Result<Self, LaneError> {
        text.split(',').try_fold(Self(0), |set, name| {
            let lane: Lane = name.trim().parse()?;
            Ok(Self(set.0 | Self::from(lane).0))
        })
    }
}

impl TryFrom<String> for Lanes {
    type Error = LaneError;

    fn try_from(text: String) -> Result<Self, LaneError> {
        text.parse()
    }
}

impl From<Lanes> for String {
    fn from(lanes: Lanes) -> Self {
        lanes.to_string()
    }
}

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, lane) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(lane.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lanes({self})")
    }
}
