//! A single mail to enqueue.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::fault::{ONE_LINE, is_one_line};
use super::{Content, Fault, Lane, Letter, OnUnknown, Recipient, Record, RelayName};

/// A single mail, such as a receipt or a password reset. It waits in a standing stream, not in a campaign.
///
/// ```
/// use mailer_core::domain::{Content, Message, Recipient};
/// use mailer_core::template::Template;
///
/// let content = Content::new().from("shop@shop.example").template(Template::new("Receipt").text("Thanks."));
/// let message = Message::new("receipt-17", content, Recipient::new("ann@example.com"));
/// assert!(message.check().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Message {
    key: String,
    lane: Lane,
    content: Content,
    recipient: Recipient,
    relay: String,
    expires_at: Option<DateTime<Utc>>,
    on_unknown: OnUnknown,
}

/// A single mail that passed the door: what stores keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessageSpec {
    /// The identity of the mail: enqueued twice, it is sent once.
    pub key: String,
    /// Who goes first.
    pub lane: Lane,
    /// What it says.
    pub letter: Letter,
    /// Who gets it.
    pub to: Record,
    /// The relay it goes through.
    pub relay: RelayName,
    /// It does not begin from here on.
    pub expires_at: Option<DateTime<Utc>>,
    /// What becomes of it when nobody knows whether it was sent.
    pub on_unknown: OnUnknown,
}

impl Message {
    /// A transactional mail. The `key` makes enqueueing repeatable: the same key is sent once.
    pub fn new(key: impl Into<String>, content: Content, recipient: Recipient) -> Self {
        Self {
            key: key.into(),
            lane: Lane::Transactional,
            content,
            recipient,
            relay: RelayName::DEFAULT.to_owned(),
            expires_at: None,
            on_unknown: OnUnknown::default(),
        }
    }

    /// The lane; `Transactional`, if not given.
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// The relay it goes through; `default`, if not named.
    #[must_use]
    pub fn relay(mut self, name: impl Into<String>) -> Self {
        self.relay = name.into();
        self
    }

    /// It is not sent from `at` on.
    #[must_use]
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// What becomes of it when nobody knows whether it was sent.
    #[must_use]
    pub fn on_unknown(mut self, rule: OnUnknown) -> Self {
        self.on_unknown = rule;
        self
    }

    /// Parses it.
    ///
    /// # Errors
    /// Every fault of it at once.
    pub fn check(&self) -> Result<MessageSpec, Vec<Fault>> {
        let mut faults = Vec::new();
        let letter = self
            .content
            .check()
            .map_err(|more| faults.extend(more))
            .ok();
        let to = self
            .recipient
            .clone()
            .check()
            .map_err(|more| faults.extend(more))
            .ok();
        let relay = self
            .relay
            .parse::<RelayName>()
            .map_err(|error| faults.push(Fault::new("relay", &self.relay, error.to_string())))
            .ok();
        if !(1..=256).contains(&self.key.len()) || !is_one_line(&self.key) {
            faults.push(Fault::new(
                "key",
                &self.key,
                format!("1 to 256 octets, {ONE_LINE}"),
            ));
        }
        match (letter, to, relay) {
            (Some(letter), Some(to), Some(relay)) if faults.is_empty() => Ok(MessageSpec {
                key: self.key.clone(),
                lane: self.lane,
                letter,
                to,
                relay,
                expires_at: self.expires_at,
                on_unknown: self.on_unknown,
            }),
            _ => Err(faults),
        }
    }
}
