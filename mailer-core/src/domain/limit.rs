//! Limits: how much mail may begin, in how long, counted per what.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Lanes, LimitError, LimitKind, ScopeKind};

/// At most so many sends in so long, counted per namespace, relay, sender, campaign or stream.
///
/// Written and displayed without loss:
///
/// | text | meaning |
/// |---|---|
/// | `100/hour` | 100 in each hour of the UTC clock |
/// | `1000/day@Europe/Moscow per sender` | 1000 in each Moscow day, for each sender |
/// | `300/60m rolling` | never more than 300 in *any* 60 minutes |
/// | `14/s pace per relay` | evenly spaced, 14 in a second, for each relay |
/// | `20/minute lanes bulk,transactional` | binds these lanes only |
///
/// A cap of 0 is legal and closes what it is counted for.
///
/// ```
/// use mailer_core::domain::{Limit, ScopeKind};
///
/// let limit: Limit = "1000/d@Europe/Moscow per sender".parse()?;
/// assert_eq!((limit.cap(), limit.per()), (1000, ScopeKind::Sender));
/// assert_eq!(limit.to_string(), "1000/day@Europe/Moscow per sender");
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    cap: u32,
    kind: LimitKind,
    per: ScopeKind,
    lanes: Lanes,
}

impl Limit {
    /// At most `cap` sends, counted as `kind` says, over the whole namespace and all lanes.
    ///
    /// # Errors
    /// If the kind gives a zone to minutes or hours, or a rolling window is not whole seconds from 1 s to 366 days.
    pub fn new(cap: u32, kind: LimitKind) -> Result<Self, LimitError> {
        let legal = kind.check();
        let limit = Self {
            cap,
            kind,
            per: ScopeKind::Namespace,
            lanes: Lanes::ALL,
        };
        match legal {
            Ok(()) => Ok(limit),
            Err(rule) => Err(LimitError::new(limit.to_string(), rule)),
        }
    }

    /// The same limit with another cap.
    #[must_use]
    pub fn with_cap(self, cap: u32) -> Self {
        Self { cap, ..self }
    }

    /// The same limit, with one counter for each scope of this kind.
    #[must_use]
    pub fn with_per(self, per: ScopeKind) -> Self {
        Self { per, ..self }
    }

    /// The same limit, binding these lanes only.
    #[must_use]
    pub fn with_lanes(self, lanes: Lanes) -> Self {
        Self { lanes, ..self }
    }

    /// How many sends. 0 is closed.
    #[must_use]
    pub const fn cap(&self) -> u32 {
        self.cap
    }

    /// How it counts.
    #[must_use]
    pub const fn kind(&self) -> &LimitKind {
        &self.kind
    }

    /// What it is counted per.
    #[must_use]
    pub const fn per(&self) -> ScopeKind {
        self.per
    }

    /// The lanes it binds. Mail of other lanes is neither stopped nor counted.
    #[must_use]
    pub const fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// What the limit is apart from its cap, as text: `day@Europe/Moscow per sender`.
    ///
    /// Limits of equal identity share their counters, so a new cap acts on what is already counted.
    #[must_use]
    pub fn identity(&self) -> String {
        Identity(self).to_string()
    }

    /// Whether both limits have the same [`identity`](Self::identity), so that they share their counters.
    #[must_use]
    pub fn same_counter(&self, other: &Self) -> bool {
        self.per == other.per && self.lanes == other.lanes && self.kind == other.kind
    }

    /// Whether `other` is this limit counted in another way: same scope kind, lanes and nominal length, but another
    /// kind or zone.
    ///
    /// When a policy replaces the one by the other, the old stays in force until its current window ends.
    #[must_use]
    pub fn same_purpose(&self, other: &Self) -> bool {
        self.per == other.per
            && self.lanes == other.lanes
            && self.kind.nominal_length() == other.kind.nominal_length()
            && self.kind != other.kind
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cap, Identity(self))
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limit({self})")
    }
}

impl TryFrom<String> for Limit {
    type Error = LimitError;

    fn try_from(text: String) -> Result<Self, LimitError> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

struct Identity<'a>(&'a Limit);

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind)?;
        if self.0.per != ScopeKind::Namespace {
            write!(f, " per {}", self.0.per)?;
        }
        if self.0.lanes != Lanes::ALL {
            write!(f, " lanes {}", self.0.lanes)?;
        }
        Ok(())
    }
}
