//! The names of things.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Fault;

/// The name of a campaign: the host's choice, 1 to 128 of `A-Z a-z 0-9 . _ -`.
///
/// ```
/// use mailer_core::domain::CampaignId;
///
/// let id: CampaignId = "spring-offer".parse()?;
/// assert!("spring offer".parse::<CampaignId>().is_err());
/// # Ok::<(), mailer_core::domain::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CampaignId(String);

/// A name that is not legal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a legal id: write 1 to 128 of A-Z a-z 0-9 . _ -")]
pub struct IdError(String);

impl CampaignId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CampaignId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        legal
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| IdError(text.to_owned()))
    }
}

impl TryFrom<String> for CampaignId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CampaignId> for String {
    fn from(id: CampaignId) -> Self {
        id.0
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<IdError> for Fault {
    fn from(error: IdError) -> Self {
        Self::new("id", error.0, "write 1 to 128 of A-Z a-z 0-9 . _ -")
    }
}

/// A worker process, by a number drawn at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkerId(pub u64);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One claim: made by the worker before it asks, so that a lost reply can be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClaimId {
    /// Who claims.
    pub worker: WorkerId,
    /// The worker's how-manieth claim.
    pub number: u64,
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.worker, self.number)
    }
}
