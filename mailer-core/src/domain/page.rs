//! Pages of recipients: how stores keep them, in little more than their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Address, Mailbox, Record};

/// How many recipients a full page holds: the unit of storing, claiming and leasing.
pub const PAGE_SIZE: usize = 128;

/// Encodes recipients as one text: a line of column names, then a line for each recipient. The same recipients give the
/// same text.
///
/// Columns are `address`, then `name` and `key` where any row has one, then `=field` for each merge field. Values stand
/// between tabs; `\\`, `\t`, `\n` and `\-` are a backslash, a tab, a new line, and no value at all.
#[must_use]
pub fn encode_page(records: &[Record]) -> String {
    let named = records.iter().any(|record| record.to.name().is_some());
    let keyed = records.iter().any(|record| record.key.is_some());
    let fields: BTreeSet<&String> = records
        .iter()
        .flat_map(|record| record.fields.keys())
        .collect();
    let mut page = String::from("address");
    if named {
        page.push_str("\tname");
    }
    if keyed {
        page.push_str("\tkey");
    }
    for field in &fields {
        page.push_str("\t=");
        escape(field, &mut page);
    }
    for record in records {
        page.push('\n');
        escape(record.to.address().as_str(), &mut page);
        if named {
            value(record.to.name(), &mut page);
        }
        if keyed {
            value(record.key.as_deref(), &mut page);
        }
        for field in &fields {
            value(record.fields.get(*field).map(String::as_str), &mut page);
        }
    }
    page
}

fn value(value: Option<&str>, page: &mut String) {
    page.push('\t');
    match value {
        Some(text) => escape(text, page),
        None => page.push_str("\\-"),
    }
}

fn escape(text: &str, page: &mut String) {
    for part in text.split_inclusive(['\\', '\t', '\n']) {
        let (plain, escaped) = match part.chars().next_back() {
            Some('\\') => (&part[..part.len() - 1], "\\\\"),
            Some('\t') => (&part[..part.len() - 1], "\\t"),
            Some('\n') => (&part[..part.len() - 1], "\\n"),
            _ => (part, ""),
        };
        page.push_str(plain);
        page.push_str(escaped);
    }
}

/// Decodes what [`encode_page`] made; the text names the fault otherwise.
///
/// # Errors
/// If the text is no page: another format, or damaged.
pub fn decode_page(text: &str) -> Result<Vec<Record>, String> {
    let mut lines = text.split('\n');
    let columns: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split('\t')
        .map(|column| Ok(unescape(column)?.unwrap_or_default()))
        .collect::<Result<_, String>>()?;
    if columns.first().map(String::as_str) != Some("address") {
        return Err(format!("no page: it begins with {:?}", columns.first()));
    }
    lines.map(|line| decode_row(&columns, line)).collect()
}

fn decode_row(columns: &[String], line: &str) -> Result<Record, String> {
    let (mut address, mut name, mut key, mut fields) = (None, None, None, BTreeMap::new());
    let mut values = line.split('\t');
    for column in columns {
        let value = values.next().ok_or("a row with too few values")?;
        match (column.as_str(), unescape(value)?) {
            ("address", value) => address = value,
            ("name", value) => name = value,
            ("key", value) => key = value,
            (column, Some(value)) => {
                let field = column
                    .strip_prefix('=')
                    .ok_or_else(|| format!("unknown column {column:?}"))?;
                fields.insert(field.to_owned(), value);
            }
            (_, None) => {}
        }
    }
    if values.next().is_some() {
        return Err("a row with too many values".to_owned());
    }
    let address: Address = address
        .ok_or("a row without an address")?
        .parse()
        .map_err(|error: super::AddressError| error.to_string())?;
    let to = Mailbox::new(name.as_deref().unwrap_or_default(), address)
        .map_err(|error| error.to_string())?;
    Ok(Record { to, key, fields })
}

fn unescape(text: &str) -> Result<Option<String>, String> {
    if text == "\\-" {
        return Ok(None);
    }
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('\\');
    plain.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        match part.chars().next() {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            // Two backslashes: what stands between them is empty, and what follows is plain.
            None => {
                plain.push('\\');
                plain.push_str(parts.next().ok_or("a backslash at the end of a value")?);
                continue;
            }
            Some(other) => return Err(format!("unknown escape \\{other}")),
        }
        plain.push_str(&part[1..]);
    }
    Ok(Some(plain))
}

/// A running digest over a campaign and its pages: equal digests mean equal campaigns with equal recipients.
///
/// ```
/// use mailer_core::domain::Digest;
///
/// let one = Digest::of(b"campaign").then(b"page 1");
/// assert_eq!(one, Digest::of(b"campaign").then(b"page 1"));
/// assert_ne!(one, Digest::of(b"campaign").then(b"page 2"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of the first part.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of what this one covers and of the next part.
    #[must_use]
    pub fn then(&self, bytes: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update(self.0)
                .chain_update(bytes)
                .finalize()
                .into(),
        )
    }

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut octets = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, octet) in octets.iter_mut().enumerate() {
            *octet = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(Self(octets))
    }

    /// The first 16 octets in hexadecimal.
    #[must_use]
    pub fn short(&self) -> String {
        self.0[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// All 32 octets in hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Recipient;

    #[test]
    fn a_page_reads_back_as_it_was() {
        let records: Vec<Record> = [
            Recipient::new("ann@example.com").field("city", "Bern"),
            Recipient::new("bob@example.com")
                .name("Bob \"B\"")
                .key("17"),
            Recipient::new("eve@example.com")
                .field("city", "")
                .field("=odd", "ü\t")
                .field("all", "\\ \\\\- \\n\\t\\"),
            Recipient::new("dan@example.com").field("city", "\\-"),
        ]
        .into_iter()
        .map(|recipient| recipient.check().unwrap())
        .collect();
        assert_eq!(decode_page(&encode_page(&records)), Ok(records));
    }

    #[test]
    fn a_plain_row_costs_little_more_than_its_text() {
        let records: Vec<Record> = (0..PAGE_SIZE)
            .map(|i| {
                Recipient::new(format!("user{i:06}@some-domain.example"))
                    .check()
                    .unwrap()
            })
            .collect();
        let text = encode_page(&records);
        let addresses: usize = records.iter().map(|r| r.to.address().as_str().len()).sum();
        assert!(
            text.len() < addresses + 2 * PAGE_SIZE,
            "{} for {addresses}",
            text.len()
        );
    }

    #[test]
    fn a_digest_reads_back_as_written() {
        let digest = Digest::of(b"campaign");
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex("00"), None);
        assert_eq!(Digest::from_hex(&"g".repeat(64)), None);
    }

    #[test]
    fn a_foreign_text_is_named_as_a_fault() {
        for (text, fault) in [
            ("", "no page"),
            ("{}", "no page"),
            ("=x\n1", "no page"),
            ("address\n", "not an address"),
            ("address\tx\na@b.c\t1", "unknown column"),
            ("address\t=x\na@b.c", "too few"),
            ("address\na@b.c\t1", "too many"),
            ("address\t=x\na@b.c\t\\q", "unknown escape"),
            ("address\t=x\na@b.c\tx\\", "backslash at the end"),
        ] {
            let error = decode_page(text).unwrap_err();
            assert!(error.contains(fault), "{text:?}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_in_a_field_comes_back(
            rows in prop::collection::vec(
                prop::collection::btree_map("[a-c\\\\\t]{0,3}", ".{0,6}|[\\\\\t\n-]{0,6}", 0..4),
                1..5,
            ),
        ) {
            let records: Vec<Record> = rows
                .into_iter()
                .map(|fields| Record { fields, ..Recipient::new("ann@example.com").check().unwrap() })
                .collect();
            prop_assert_eq!(decode_page(&encode_page(&records)), Ok(records));
        }

        #[test]
        fn any_text_is_a_page_or_a_fault(text in "(address)?[a-c@.=\\\\\t\n-]{0,40}") {
            let _ = decode_page(&text);
        }
    }
}
