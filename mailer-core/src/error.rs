//! The one error of the library: what was asked, why it failed, and whether asking again can help.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::Fault;

/// Something is broken, or was asked wrongly. A refusal by a limit or by the hours is never an error.
///
/// ```
/// use mailer_core::{Error, ErrorKind};
///
/// let error = Error::not_found("status", "no campaign has the id \"spring\"");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.to_string(), "status: no campaign has the id \"spring\"");
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    op: &'static str,
    detail: String,
    faults: Vec<Fault>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What sort of failure an [`Error`] is: what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing has this name. Asking again does not help.
    NotFound,
    /// It exists with other content, or somebody else is at it. Choose another name, or wait for them.
    Conflict,
    /// The values asked for are not legal: [`Error::faults`] names every one.
    Invalid,
    /// The store or the relay does not answer in time. Ask again after [`Error::retry_after`].
    Unavailable,
    /// The store's data is of a format that this version does not know.
    Incompatible,
    /// The store has lost what it had confirmed: it was emptied, replaced, or set back. Nothing may be sent on it, or
    /// everybody may get a mail again. Somebody must look.
    RolledBack,
    /// What the caller passed in failed: its stream, its composer.
    Source,
}

impl Error {
    /// Nothing has this name.
    pub fn not_found(op: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, op, detail)
    }

    /// It exists already with other content, or is held by another.
    pub fn conflict(op: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, op, detail)
    }

    /// The values are not legal; `faults` names every one.
    #[must_use]
    pub fn invalid(op: &'static str, faults: Vec<Fault>) -> Self {
        let mut error = Self::new(ErrorKind::Invalid, op, "");
        error.0.faults = faults;
        error
    }

    /// A server does not answer; asking again after `retry_after` may help.
    pub fn unavailable(op: &'static str, detail: impl Into<String>, retry_after: Duration) -> Self {
        let mut error = Self::new(ErrorKind::Unavailable, op, detail);
        error.0.retry_after = Some(retry_after);
        error
    }

    /// The data is of an unknown format.
    pub fn incompatible(op: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Incompatible, op, detail)
    }

    /// The store has lost what it had confirmed.
    pub fn rolled_back(op: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::RolledBack, op, detail)
    }

    /// What the caller passed in failed.
    pub fn source_failed(
        op: &'static str,
        detail: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let mut error = Self::new(ErrorKind::Source, op, detail);
        error.0.source = Some(Arc::from(source.into()));
        error
    }

    fn new(kind: ErrorKind, op: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            op,
            detail: detail.into(),
            faults: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.op
    }

    /// Every illegal value, for [`ErrorKind::Invalid`].
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// How long to wait before asking again, where asking again can help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.op, self.0.detail)?;
        for (i, fault) in self.0.faults.iter().enumerate() {
            write!(f, "{}{fault}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
