//! What is said, and by whom.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fault, Mailbox};
use crate::template::Template;

/// What every mail of a campaign, or one single mail, says: sender, reply address, and a composer with its parameters.
///
/// ```
/// use mailer_core::domain::Content;
/// use mailer_core::template::Template;
///
/// let content = Content::new()
///     .from("Shop <news@shop.example>")
///     .template(Template::new("Hello {{ name }}").text("Dear {{ name }}, ..."));
/// assert!(content.check().is_ok());
/// assert_eq!(Content::new().check().unwrap_err().len(), 2); // no sender, and nothing to say
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    from: Option<String>,
    reply_to: Option<String>,
    composer: Option<(String, Value)>,
}

/// Content that passed the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Letter {
    /// The sender, in the header and in the envelope.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Mailbox>,
    /// The name of the composer that makes mails of it.
    pub composer: String,
    /// What that composer needs to know.
    pub params: Value,
}

impl Content {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The sender: `Shop <news@shop.example>` or a bare address.
    #[must_use]
    pub fn from(mut self, mailbox: impl Into<String>) -> Self {
        self.from = Some(mailbox.into());
        self
    }

    /// Where answers go, if not to the sender.
    #[must_use]
    pub fn reply_to(mut self, mailbox: impl Into<String>) -> Self {
        self.reply_to = Some(mailbox.into());
        self
    }

    /// The composer by its name, and its parameters as JSON. Workers must have a composer of that name registered.
    #[must_use]
    pub fn composer(mut self, name: impl Into<String>, params: Value) -> Self {
        self.composer = Some((name.into(), params));
        self
    }

    /// A template, made into mails by the composer that every worker has.
    #[must_use]
    pub fn template(self, template: Template) -> Self {
        self.composer(Template::COMPOSER, template.into())
    }

    /// Parses it.
    ///
    /// # Errors
    /// Every fault: no sender or one that is no mailbox, a reply address that is none, no composer.
    pub fn check(&self) -> Result<Letter, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut mailbox = |field: &str, text: Option<&String>| {
            text.and_then(|text| {
                text.parse::<Mailbox>()
                    .map_err(|error| faults.push(error.in_field(field)))
                    .ok()
            })
        };
        let from = mailbox("from", self.from.as_ref());
        let reply_to = mailbox("reply_to", self.reply_to.as_ref());
        if self.from.is_none() {
            faults.push(Fault::new("from", "", "a mail needs a sender"));
        }
        if let Some((composer, _)) = &self.composer
            && (!(1..=128).contains(&composer.len()) || composer.contains(char::is_whitespace))
        {
            faults.push(Fault::new(
                "composer",
                composer,
                "a composer's name is 1 to 128 octets without spaces",
            ));
        }
        if self.composer.is_none() {
            faults.push(Fault::new(
                "content",
                "",
                "a mail needs a template or another composer",
            ));
        }
        match (from, &self.composer) {
            (Some(from), Some((composer, params))) if faults.is_empty() => Ok(Letter {
                from,
                reply_to,
                composer: composer.clone(),
                params: params.clone(),
            }),
            _ => Err(faults),
        }
    }
}
