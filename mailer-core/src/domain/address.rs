//! E-mail addresses, parsed once at the door.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Fault;
use super::fault::{ONE_LINE, is_one_line};

/// An address as RFC 5321 section 4.1.2 has it, within its length limits (64 octets before the @, 254 in all).
///
/// The local part keeps its case; the domain is lower-cased. Quoted local parts and address literals are refused:
/// no list of recipients needs them, and they are a known way to smuggle.
///
/// ```
/// use mailer_core::domain::Address;
///
/// let address: Address = "Ann@Example.COM".parse()?;
/// assert_eq!(address.to_string(), "Ann@example.com");
/// assert!("ann@".parse::<Address>().is_err());
/// assert!("ann@example.com\r\nBcc: all@example.com".parse::<Address>().is_err());
/// # Ok::<(), mailer_core::domain::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: String,
    at: usize,
}

/// A text that is no address, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address: {rule}")]
pub struct AddressError {
    text: String,
    rule: &'static str,
}

impl Address {
    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the @.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands behind the @, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refused = |rule| AddressError {
            text: text.to_owned(),
            rule,
        };
        let (local, domain) = text
            .rsplit_once('@')
            .ok_or_else(|| refused("it has no @"))?;
        let lowered = Self {
            text: format!("{local}@{}", domain.to_lowercase()),
            at: local.len(),
        };
        // Lower case can be longer, and of other letters: what is kept must be an address, not what was given.
        match fault_of(&lowered) {
            Some(rule) => Err(refused(rule)),
            None => Ok(lowered),
        }
    }
}

fn fault_of(address: &Address) -> Option<&'static str> {
    let (text, local, domain) = (address.as_str(), address.local(), address.domain());
    if local.is_empty() {
        return Some("something must stand before the @");
    }
    if local.len() > 64 {
        return Some("at most 64 octets may stand before the @ (RFC 5321, 4.5.3.1.1)");
    }
    if text.len() > 254 {
        return Some("at most 254 octets are allowed (RFC 5321, 4.5.3.1.3)");
    }
    if !local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
    {
        return Some(
            "before the @ only letters, digits, single dots and !#$%&'*+-/=?^_`{|}~ are allowed",
        );
    }
    if domain.is_empty() {
        return Some("a domain must follow the @");
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    if !domain.split('.').all(label) {
        return Some(
            "the domain must be labels of letters, digits and inner hyphens, joined by single dots",
        );
    }
    None
}

fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AddressError {
    /// The same fault, found in `field`.
    #[must_use]
    pub fn in_field(self, field: &str) -> Fault {
        Fault::new(field, self.text, self.rule)
    }
}

/// An address and the name to show beside it: `Shop <news@shop.example>`, or the bare address.
///
/// ```
/// use mailer_core::domain::Mailbox;
///
/// let from: Mailbox = "Shop <news@shop.example>".parse()?;
/// assert_eq!(from.name(), Some("Shop"));
/// assert_eq!(from.to_string(), "Shop <news@shop.example>");
/// # Ok::<(), mailer_core::domain::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    name: Option<String>,
    address: Address,
}

impl Mailbox {
    /// The address with a name shown beside it; an empty name is none.
    ///
    /// # Errors
    /// If the name holds a line break or NUL.
    pub fn new(name: &str, address: Address) -> Result<Self, AddressError> {
        if !is_one_line(name) {
            return Err(AddressError {
                text: name.to_owned(),
                rule: ONE_LINE,
            });
        }
        Ok(Self {
            name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
            address,
        })
    }

    /// The name, if one is shown.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl From<Address> for Mailbox {
    fn from(address: Address) -> Self {
        Self {
            name: None,
            address,
        }
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text
            .trim_end()
            .strip_suffix('>')
            .and_then(|t| t.rsplit_once('<'))
        {
            Some((name, address)) => Self::new(&unquoted(name.trim()), address.parse()?),
            None => Ok(text.parse::<Address>()?.into()),
        }
    }
}

/// A name in quotes without them (RFC 5322 section 3.2.4), any other as it is.
fn unquoted(name: &str) -> Cow<'_, str> {
    let Some(quoted) = quoted_part(name) else {
        return name.into();
    };
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        // A backslash that nothing follows stands for itself.
        let c = if c == '\\' {
            characters.next().unwrap_or(c)
        } else {
            c
        };
        plain.push(c);
    }
    plain.into()
}

fn quoted_part(name: &str) -> Option<&str> {
    name.strip_prefix('"')?.strip_suffix('"')
}

impl TryFrom<String> for Mailbox {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}

impl fmt::Display for Mailbox {
    /// So that it can be parsed again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            // Quotes that belong to the name would be taken for those around it.
            Some(name) if quoted_part(name).is_some() => {
                let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{escaped}\" <{}>", self.address)
            }
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => self.address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Mailbox};

    #[test]
    fn what_is_taken_is_taken_again() {
        for text in [
            "Ann@Example.COM",
            "j\u{f6}rg@B\u{dc}CHER.example",
            "a@\u{391}\u{3a3}.example",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string().parse(), Ok(address), "{text}");
        }
        // Its lower case is two characters, of which one is no letter.
        assert!("a@\u{130}.example".parse::<Address>().is_err());
        // Its lower case is longer by a third.
        let label = "\u{23a}".repeat(30);
        assert!(format!("a@{label}.example").parse::<Address>().is_err());
    }

    #[test]
    fn any_name_is_shown_so_that_it_can_be_read_again() {
        let address: Address = "ann@example.com".parse().unwrap();
        for name in [
            "Ann", "\"Ann\"", "\"", "\"\"", "a \\\" b", "\"a\\\"", "a <b@c>", "\" <a@b>", "\\",
        ] {
            let mailbox = Mailbox::new(name, address.clone()).unwrap();
            assert_eq!(mailbox.to_string().parse(), Ok(mailbox), "{name}");
        }
        let name = |text: &str| text.parse::<Mailbox>().unwrap().name().map(str::to_owned);
        assert_eq!(name("\"B, Ann\" <a@b.example>").as_deref(), Some("B, Ann"));
        assert_eq!(
            name("\"A \\\"B\\\"\" <a@b.example>").as_deref(),
            Some("A \"B\"")
        );
        assert_eq!(name("\"\" <a@b.example>"), None);
    }
}
