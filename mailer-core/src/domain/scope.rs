//! Scopes: what a limit is counted for, and what a deferral closes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that limits are counted for and deferrals close: everything, a relay, a sender, a campaign, a stream.
///
/// Written `namespace`, `relay:default`, `sender:news@shop.example`, `campaign:spring`, `stream:receipts`.
///
/// ```
/// use mailer_core::domain::{Scope, ScopeKind};
///
/// let scope: Scope = "sender:News@Shop.example".parse()?;
/// assert_eq!(scope, Scope::sender("news@shop.example"));
/// assert_eq!(scope.kind(), ScopeKind::Sender);
/// assert_eq!(scope.to_string(), "sender:news@shop.example");
/// # Ok::<(), mailer_core::domain::ScopeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(clippy::exhaustive_enums, reason = "callers match every scope")]
pub enum Scope {
    /// Everything under the namespace of one mailer.
    Namespace,
    /// One named way out.
    Relay(RelayName),
    /// One sender's address in lower case: [`Scope::sender`] makes it so.
    Sender(String),
    /// One campaign by its id.
    Campaign(String),
    /// One stream by its name.
    Stream(String),
}

/// What a limit is counted per. `per relay` makes one counter for each relay.
///
/// ```
/// use mailer_core::domain::ScopeKind;
///
/// assert_eq!("relay".parse(), Ok(ScopeKind::Relay));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[expect(clippy::exhaustive_enums, reason = "callers match every kind")]
pub enum ScopeKind {
    /// One counter for all mail of the namespace.
    #[default]
    Namespace,
    /// One counter for each relay.
    Relay,
    /// One counter for each sender's address.
    Sender,
    /// One counter for each campaign.
    Campaign,
    /// One counter for each stream.
    Stream,
}

/// The name of a relay: 1 to 64 of `A-Z a-z 0-9 . _ -`.
///
/// ```
/// use mailer_core::domain::RelayName;
///
/// let relay: RelayName = "eu-west.1".parse()?;
/// assert_eq!(relay.as_str(), "eu-west.1");
/// assert!("eu west".parse::<RelayName>().is_err());
/// # Ok::<(), mailer_core::domain::ScopeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelayName(String);

/// The text names no scope, no kind of scope, or no relay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// No scope is written like this.
    #[error(
        "unknown scope {0:?}: write namespace, relay:NAME, sender:ADDRESS, campaign:ID or stream:NAME"
    )]
    Scope(String),
    /// No kind of scope has this name.
    #[error("unknown kind of scope {0:?}: write namespace, relay, sender, campaign or stream")]
    Kind(String),
    /// No relay may have this name.
    #[error("bad relay name {0:?}: write 1 to 64 of A-Z a-z 0-9 . _ -")]
    Relay(String),
}

impl Scope {
    /// The scope of one sender. Letter case does not matter.
    #[must_use]
    pub fn sender(address: &str) -> Self {
        Self::Sender(address.to_lowercase())
    }

    /// The kind of this scope.
    #[must_use]
    pub const fn kind(&self) -> ScopeKind {
        match self {
            Self::Namespace => ScopeKind::Namespace,
            Self::Relay(_) => ScopeKind::Relay,
            Self::Sender(_) => ScopeKind::Sender,
            Self::Campaign(_) => ScopeKind::Campaign,
            Self::Stream(_) => ScopeKind::Stream,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Namespace => None,
            Self::Relay(relay) => Some(relay.as_str()),
            Self::Sender(name) | Self::Campaign(name) | Self::Stream(name) => Some(name),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            None => write!(f, "{}", self.kind()),
            Some(name) => write!(f, "{}:{name}", self.kind()),
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text.split_once(':') {
            None if text == "namespace" => Ok(Self::Namespace),
            Some(("relay", name)) => name.parse().map(Self::Relay),
            Some(("sender", name)) if !name.is_empty() => Ok(Self::sender(name)),
            Some(("campaign", name)) if !name.is_empty() => Ok(Self::Campaign(name.to_owned())),
            Some(("stream", name)) if !name.is_empty() => Ok(Self::Stream(name.to_owned())),
            _ => Err(ScopeError::Scope(text.to_owned())),
        }
    }
}

impl ScopeKind {
    /// Every kind, widest first.
    pub const ALL: [Self; 5] = [
        Self::Namespace,
        Self::Relay,
        Self::Sender,
        Self::Campaign,
        Self::Stream,
    ];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Relay => "relay",
            Self::Sender => "sender",
            Self::Campaign => "campaign",
            Self::Stream => "stream",
        }
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ScopeKind {
    type Err = ScopeError;

    fn from_str(name: &str) -> Result<Self, ScopeError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| ScopeError::Kind(name.to_owned()))
    }
}

impl RelayName {
    /// The relay of who names none.
    pub const DEFAULT: &'static str = "default";

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RelayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RelayName {
    type Err = ScopeError;

    fn from_str(name: &str) -> Result<Self, ScopeError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(legal) {
            Ok(Self(name.to_owned()))
        } else {
            Err(ScopeError::Relay(name.to_owned()))
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for RelayName {
    type Error = ScopeError;

    fn try_from(name: String) -> Result<Self, ScopeError> {
        name.parse()
    }
}

impl From<RelayName> for String {
    fn from(relay: RelayName) -> Self {
        relay.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_reads_back_as_written() {
        for text in [
            "namespace",
            "relay:default",
            "sender:news@shop.example",
            "campaign:spring:2026 a",
            "stream:receipts",
        ] {
            let scope: Scope = text.parse().unwrap();
            assert_eq!(scope.to_string(), text);
            let json = serde_json::to_string(&scope).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Scope>(&json).unwrap(), scope);
            assert_eq!(text.split(':').next(), Some(scope.kind().as_str()));
        }
    }

    #[test]
    fn what_names_no_scope_is_refused() {
        for text in [
            "",
            "relay",
            "relay:",
            "relay:a b",
            "sender:",
            "campaign:",
            "namespace:x",
            "domain:a",
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn relay_names_hold_1_to_64_plain_characters() {
        assert!("a".repeat(64).parse::<RelayName>().is_ok());
        for name in ["", "a/b", "ü", &"a".repeat(65)] {
            assert!(name.parse::<RelayName>().is_err(), "{name:?}");
        }
    }
}
