//! What is said, and by whom.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Address, Fault, Mailbox, ReturnPath};
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
    return_path: Option<Asked>,
    composer: Option<(String, Value)>,
}

/// A return path as it was given.
#[derive(Debug, Clone, PartialEq)]
enum Asked {
    Plain(String),
    Verp(String),
}

/// Content that passed the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Letter {
    /// The sender, in the header; in the envelope too, if there is no return path.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Mailbox>,
    /// Where bounces go, if not to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_path: Option<ReturnPath>,
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

    /// Where bounces go, if not to the sender: a bare address.
    #[must_use]
    pub fn return_path(mut self, address: impl Into<String>) -> Self {
        self.return_path = Some(Asked::Plain(address.into()));
        self
    }

    /// Where bounces go: an address for each recipient, made of this one. See [`ReturnPath::Verp`]. It takes the place of
    /// [`return_path`](Self::return_path).
    #[must_use]
    pub fn verp(mut self, address: impl Into<String>) -> Self {
        self.return_path = Some(Asked::Verp(address.into()));
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
    /// Every fault: no sender or one that is no mailbox, a reply address or a return path that is none, no composer.
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
        let return_path = self
            .return_path
            .as_ref()
            .and_then(|asked| asked.check().map_err(|fault| faults.push(fault)).ok());
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
                return_path,
                composer: composer.clone(),
                params: params.clone(),
            }),
            _ => Err(faults),
        }
    }
}

impl Asked {
    fn check(&self) -> Result<ReturnPath, Fault> {
        let parse = |text: &str| {
            let address = text.parse::<Address>();
            address.map_err(|error| error.in_field("return_path"))
        };
        let path = match self {
            Self::Plain(text) => ReturnPath::Plain(parse(text)?),
            Self::Verp(text) => ReturnPath::Verp(parse(text)?),
        };
        path.fault().map_or(Ok(path), Err)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content() -> Content {
        Content::new()
            .from("news@shop.example")
            .composer("c", json!({}))
    }

    fn stored(letter: &Letter) -> Value {
        serde_json::to_value(letter).unwrap()
    }

    #[test]
    fn a_letter_without_a_return_path_is_stored_as_it_was_before_there_were_any() {
        let letter = content().check().unwrap();
        let before = json!({"from": "news@shop.example", "composer": "c", "params": {}});
        assert_eq!(stored(&letter), before);
        assert_eq!(serde_json::from_value::<Letter>(before).unwrap(), letter);
    }

    #[test]
    fn a_return_path_is_stored_with_the_letter() {
        let plain = content().return_path("bounces@shop.example").check();
        let verp = content().verp("bounces@shop.example").check();
        for (letter, kind) in [(plain, "plain"), (verp, "verp")] {
            let letter = letter.unwrap();
            let json = stored(&letter);
            assert_eq!(json["return_path"], json!({kind: "bounces@shop.example"}));
            assert_eq!(serde_json::from_value::<Letter>(json).unwrap(), letter);
        }
    }

    #[test]
    fn a_return_path_that_cannot_be_used_is_refused_at_the_door() {
        let fault_of = |content: Content| {
            let faults = content.check().unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            faults[0].to_string()
        };
        for wrong in ["bounces", "Shop <bounces@shop.example>", "", "a@b\r\nc"] {
            for content in [content().return_path(wrong), content().verp(wrong)] {
                assert!(fault_of(content).contains("return_path"), "{wrong}");
            }
        }
        let longest = "b".repeat(31);
        let base = |local: &str| format!("{local}@shop.example");
        assert!(content().verp(base(&longest)).check().is_ok());
        assert!(fault_of(content().verp(base(&format!("{longest}b")))).contains("31"));
        assert!(content().return_path(base(&"b".repeat(64))).check().is_ok());
    }
}
