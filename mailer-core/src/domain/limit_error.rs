//! Why a text is no limit.

/// The text is no limit: says which text, and which rule it breaks.
///
/// ```
/// use mailer_core::domain::Limit;
///
/// let error = "100/fortnight".parse::<Limit>().unwrap_err();
/// assert_eq!(error.text(), "100/fortnight");
/// assert!(error.to_string().contains("unknown unit \"fortnight\""));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad limit {text:?}: {rule}")]
pub struct LimitError {
    text: String,
    rule: Rule,
}

impl LimitError {
    pub(super) fn new(text: impl Into<String>, rule: Rule) -> Self {
        Self {
            text: text.into(),
            rule,
        }
    }

    pub(super) fn into_rule(self) -> Rule {
        self.rule
    }

    /// The text that was refused, whole.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rule {
    #[error("it is empty: write for instance 100/hour")]
    Empty,
    #[error("{0:?} is no whole number from 0 to 4294967295")]
    Cap(String),
    #[error("the unit is missing: write for instance 100/hour")]
    NoUnit,
    #[error("unknown unit {0:?}: write second, minute, hour, day, week or month")]
    UnknownUnit(String),
    #[error("seconds are paced: write for instance 14/s pace")]
    SecondWithoutPace,
    #[error("{0:?} is a length of time: write rolling after it, or a unit alone")]
    LengthWithoutRolling(String),
    #[error("only day, week and month have a zone")]
    NoZoneHere,
    #[error(transparent)]
    Zone(#[from] crate::calendar::ZoneError),
    #[error(
        "a rolling window is whole seconds, from 1 s to 366 d: write for instance 300/60m rolling"
    )]
    RollingLength,
    #[error("a pace is per second, minute or hour")]
    PaceUnit,
    #[error(transparent)]
    Scope(#[from] super::ScopeError),
    #[error(transparent)]
    Lanes(#[from] super::LaneError),
    #[error("{0:?} needs a word after it")]
    NothingAfter(&'static str),
    #[error("{0:?} is said twice")]
    Twice(&'static str),
    #[error("limits for a recipient domain are not supported yet")]
    Domain,
    #[error("{0:?} has no meaning here")]
    Garbage(String),
}
