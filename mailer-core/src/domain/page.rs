//! Pages of recipients: how stores keep them, in little more than their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Address, Mailbox, Record};

/// How many recipients a full page holds: the unit of storing, claiming and leasing.
pub const PAGE_SIZE: usize = 128;

/// A page as a table: the names of its columns once, then a row of values for each recipient.
#[derive(Serialize, Deserialize)]
struct Table {
    /// `address`, then `name` and `key` where any row has one, then `=field` for each merge field.
    c: Vec<String>,
    r: Vec<Vec<Option<String>>>,
}

/// Encodes recipients as one JSON text. The same recipients give the same text.
#[must_use]
pub fn encode_page(records: &[Record]) -> String {
    let named = records.iter().any(|record| record.to.name().is_some());
    let keyed = records.iter().any(|record| record.key.is_some());
    let fields: BTreeSet<&String> = records
        .iter()
        .flat_map(|record| record.fields.keys())
        .collect();
    let mut columns = vec!["address".to_owned()];
    columns.extend(named.then(|| "name".to_owned()));
    columns.extend(keyed.then(|| "key".to_owned()));
    columns.extend(fields.iter().map(|field| format!("={field}")));
    let rows = records
        .iter()
        .map(|record| {
            let mut row = vec![Some(record.to.address().as_str().to_owned())];
            row.extend(named.then(|| record.to.name().map(str::to_owned)));
            row.extend(keyed.then(|| record.key.clone()));
            row.extend(
                fields
                    .iter()
                    .map(|field| record.fields.get(*field).cloned()),
            );
            row
        })
        .collect();
    serde_json::to_string(&Table {
        c: columns,
        r: rows,
    })
    .unwrap_or_default()
}

/// Decodes what [`encode_page`] made; the text names the fault otherwise.
///
/// # Errors
/// If the text is no page: another format, or damaged.
pub fn decode_page(text: &str) -> Result<Vec<Record>, String> {
    let table: Table = serde_json::from_str(text).map_err(|error| error.to_string())?;
    table
        .r
        .into_iter()
        .map(|row| decode_row(&table.c, row))
        .collect()
}

fn decode_row(columns: &[String], row: Vec<Option<String>>) -> Result<Record, String> {
    let (mut address, mut name, mut key, mut fields) = (None, None, None, BTreeMap::new());
    for (column, value) in columns.iter().zip(row) {
        match (column.as_str(), value) {
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
    let address: Address = address
        .ok_or("a row without an address")?
        .parse()
        .map_err(|error: super::AddressError| error.to_string())?;
    let to = Mailbox::new(name.as_deref().unwrap_or_default(), address)
        .map_err(|error| error.to_string())?;
    Ok(Record { to, key, fields })
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
                .field("=odd", "ü\t"),
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
            text.len() < addresses + 6 * PAGE_SIZE,
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
        assert!(decode_page("{}").is_err());
        assert!(
            decode_page(r#"{"c":["address","x"],"r":[["a@b.c","1"]]}"#)
                .unwrap_err()
                .contains("unknown column")
        );
    }
}
