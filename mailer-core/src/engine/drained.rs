use std::fmt;

use crate::domain::HaltCause;

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Mails that were in flight when it was told to stop, and came to an end.
    pub finished: u64,
    /// Mails that it had in hand and gave back, not begun.
    pub released: u64,
    /// Mails that were still in flight when the time to drain was over: they are unknown.
    pub in_doubt: u64,
    /// Of all these, the mails of which the store could not be told in time. When their lease has run out, others take back
    /// what had not begun, and what had is unknown.
    pub untold: u64,
    /// What stopped it, if nobody told it to stop: [`HaltCause::StoreRolledBack`].
    pub stopped_by: Option<HaltCause>,
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cause) = &self.stopped_by {
            write!(f, "{}: ", cause.code())?;
        }
        write!(
            f,
            "{} finished, {} given back, {} in doubt",
            self.finished, self.released, self.in_doubt
        )?;
        if self.untold > 0 {
            write!(f, "; {} could not be told to the store", self.untold)?;
        }
        Ok(())
    }
}
