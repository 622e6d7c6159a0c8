use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::{CampaignId, MessageSpec};

/// A stream of pages: a campaign's, or the standing one of a lane, relay and sender for single mails.
///
/// Written as the campaign's id, or as `~lane:relay:sender`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(String);

impl StreamId {
    /// The standing stream that `message` waits in.
    #[must_use]
    pub fn standing(message: &MessageSpec) -> Self {
        Self(format!(
            "~{}:{}:{}",
            message.lane,
            message.relay,
            message.letter.from.address()
        ))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The campaign whose stream it is, if it is one's.
    #[must_use]
    pub fn campaign(&self) -> Option<CampaignId> {
        CampaignId::from_str(&self.0).ok()
    }
}

impl From<&CampaignId> for StreamId {
    fn from(id: &CampaignId) -> Self {
        Self(id.as_str().to_owned())
    }
}

/// As a store has it.
impl From<String> for StreamId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
