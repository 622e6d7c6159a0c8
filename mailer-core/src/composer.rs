//! The trait of composers: who makes a mail for one recipient.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{Draft, Fault, Letter, Record};

/// Makes mails. The campaign stores the composer's name and parameters; workers have composers registered by name.
///
/// # Contract
/// - The same letter and record give the same mail, or a repeated mail is not the same mail.
/// - `compose` answers for every record, in their order.
/// - It may be called again for the same records, and for records that are never sent.
///
/// # Cancel safety
/// `compose` may be dropped at any await point.
#[async_trait]
pub trait Composer: Debug + Send + Sync {
    /// The name that letters call it by.
    fn name(&self) -> &str;

    /// Looks at a letter before any recipient is stored: which merge fields must every recipient have?
    ///
    /// # Errors
    /// Every fault of the letter.
    fn required_fields(&self, letter: &Letter) -> Result<BTreeSet<String>, Vec<Fault>>;

    /// Makes the mails of a batch.
    ///
    /// # Errors
    /// If none can be made, now or ever.
    async fn compose(
        &self,
        letter: &Letter,
        records: &[&Record],
    ) -> Result<Vec<Composed>, ComposeError>;
}

/// What a composer made for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the engine matches every one")]
pub enum Composed {
    /// A mail.
    Mail(Draft),
    /// This recipient gets none.
    Skip(String),
    /// The address is suppressed: it must not get any.
    Suppressed,
    /// No mail can be made for this recipient.
    Failed(String),
}

/// Why no mail of a batch can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "the engine matches every one")]
pub enum ComposeError {
    /// Not now: what it needs does not answer. The campaign waits.
    #[error("{detail}")]
    Retry {
        /// How long to wait.
        after: Duration,
        /// Why.
        detail: String,
    },
    /// Never: somebody must act. The campaign halts.
    #[error("{0}")]
    Halt(String),
}
