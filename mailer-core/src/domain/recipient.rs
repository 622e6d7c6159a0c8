//! Who gets the mail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{ONE_LINE, is_one_line};
use super::{Address, Fault, Mailbox};

/// A recipient as the host names it: address, merge fields, and the host's own key.
///
/// Any text can be put in; `submit` reports row by row what it does not take.
///
/// ```
/// use mailer_core::domain::Recipient;
///
/// let ann = Recipient::new("ann@example.com").name("Ann").key("customer-17").field("city", "Bern");
/// assert!(ann.check().is_ok());
/// assert!(Recipient::new("ann@").check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    address: String,
    name: String,
    key: Option<String>,
    fields: BTreeMap<String, String>,
}

/// A recipient that passed the door: what stores keep and composers see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// Where the mail goes, with the name to show.
    pub to: Mailbox,
    /// The host's own key; the address stands in where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Merge fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl Recipient {
    /// A recipient with this address.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            name: String::new(),
            key: None,
            fields: BTreeMap::new(),
        }
    }

    /// The name to show beside the address.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The host's own key: the identity of this delivery within its campaign. The address, if none is given.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets a merge field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Parses it.
    ///
    /// # Errors
    /// Every fault: an address that is none; a name, key or field value with a line break or NUL in it.
    pub fn check(self) -> Result<Record, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut one_line = |field: &str, value: &str| {
            if !is_one_line(value) {
                faults.push(Fault::new(field, value, ONE_LINE));
            }
        };
        one_line("name", &self.name);
        one_line("key", self.key.as_deref().unwrap_or_default());
        for (name, value) in &self.fields {
            one_line(name, value);
        }
        if self.key.as_deref() == Some("") {
            faults.push(Fault::new("key", "", "a key must not be empty"));
        }
        match self.address.trim().parse::<Address>() {
            Ok(address) if faults.is_empty() => Ok(Record {
                to: Mailbox::new(&self.name, address)
                    .map_err(|error| vec![error.in_field("name")])?,
                key: self.key,
                fields: self.fields,
            }),
            Ok(_) => Err(faults),
            Err(error) => {
                faults.insert(0, error.in_field("email"));
                Err(faults)
            }
        }
    }
}

impl Record {
    /// The identity of the delivery within its campaign.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key
            .as_deref()
            .unwrap_or_else(|| self.to.address().as_str())
    }

    /// What a composer finds under this name: `email`, a merge field, or under `name` the name that is shown.
    ///
    /// ```
    /// use mailer_core::domain::Recipient;
    ///
    /// let ann = Recipient::new("ann@example.com").name("Ann").field("city", "Bern").check().unwrap();
    /// assert_eq!(ann.field("name"), Some("Ann"));
    /// assert_eq!(ann.field("zip"), None);
    /// ```
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        match name {
            "email" => Some(self.to.address().as_str()),
            _ => self
                .fields
                .get(name)
                .map(String::as_str)
                .or_else(|| self.to.name().filter(|_| name == "name")),
        }
    }
}
