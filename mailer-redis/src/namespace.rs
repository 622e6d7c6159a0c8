//! The namespace: what the names of all keys begin with.

use std::fmt;
use std::str::FromStr;

/// What one mailer's keys have in common. As a hash tag, so that all of them are on one node of a Cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace(String);

/// No keys can be named like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a legal namespace: {rule}", rule = Namespace::RULE)]
pub(crate) struct NamespaceError(String);

impl Namespace {
    pub(crate) const RULE: &str = "write 1 to 64 of A-Z a-z 0-9 . _ - :";

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the key names begin with: `{crm:mailer}`.
    pub(crate) fn tag(&self) -> String {
        format!("{{{}}}", self.0)
    }
}

impl FromStr for Namespace {
    type Err = NamespaceError;

    fn from_str(text: &str) -> Result<Self, NamespaceError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NamespaceError(text.to_owned()))
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
