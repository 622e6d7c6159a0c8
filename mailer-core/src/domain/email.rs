//! What a transport gets.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Address, Mailbox};

/// One mail, ready to be put into its wire form. One mail has one recipient.
///
/// The engine makes them. To try out how a transport puts them into their wire form, anybody may; only a
/// [`Permit`](crate::transport::Permit) lets one out.
///
/// ```
/// use std::sync::Arc;
///
/// use chrono::DateTime;
/// use mailer_core::domain::{Body, Draft, Email};
///
/// let draft = Draft {
///     subject: "Hello".to_owned(),
///     headers: Vec::new(),
///     body: Arc::new(Body { text: Some("Dear Ann".to_owned()), html: None }),
/// };
/// let email = Email::new("1@shop.example", DateTime::UNIX_EPOCH, "news@shop.example".parse()?, "ann@example.com".parse()?, draft);
/// assert_eq!(email.reply_to, None);
/// # Ok::<(), mailer_core::domain::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Email {
    /// The same in every attempt for this campaign and recipient; without the angle brackets.
    pub message_id: String,
    /// The same in every attempt that may be a repetition.
    pub date: DateTime<Utc>,
    /// Sender, in the header; in the envelope too, if there is no return path.
    pub from: Mailbox,
    /// Sender in the envelope (`MAIL FROM`): where bounces go, if not to `from`.
    pub return_path: Option<Address>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// Recipient, in header and envelope.
    pub to: Mailbox,
    /// What the composer made.
    pub draft: Draft,
}

impl Email {
    /// Sender in the envelope: the return path, or else the address in `From`.
    #[must_use]
    pub fn envelope_from(&self) -> &Address {
        self.return_path.as_ref().unwrap_or(self.from.address())
    }

    /// A mail without a reply address and a return path of its own.
    #[must_use]
    pub fn new(
        message_id: impl Into<String>,
        date: DateTime<Utc>,
        from: Mailbox,
        to: Mailbox,
        draft: Draft,
    ) -> Self {
        Self {
            message_id: message_id.into(),
            date,
            from,
            return_path: None,
            reply_to: None,
            to,
            draft,
        }
    }
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
