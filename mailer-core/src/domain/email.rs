//! What a transport gets.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Mailbox;

/// One mail, ready to be put into its wire form. One mail has one recipient.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Email {
    /// The same in every attempt for this campaign and recipient; without the angle brackets.
    pub message_id: String,
    /// The same in every attempt that may be a repetition.
    pub date: DateTime<Utc>,
    /// Sender, in header and envelope.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// Recipient, in header and envelope.
    pub to: Mailbox,
    /// What the composer made.
    pub draft: Draft,
}

/// What a composer makes for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "composers of others build it")]
pub struct Draft {
    /// The subject: one line.
    pub subject: String,
    /// Further headers, such as `List-Unsubscribe`: names and one-line values.
    pub headers: Vec<(String, String)>,
    /// Text and HTML. Mails that say the same share one body, which is then encoded once.
    pub body: Arc<Body>,
}

/// The body of a mail, in one or both forms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "composers of others build it")]
pub struct Body {
    /// As plain text.
    pub text: Option<String>,
    /// As HTML.
    pub html: Option<String>,
}
