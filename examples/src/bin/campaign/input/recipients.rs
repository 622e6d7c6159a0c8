//! The recipients' file: a header row, then a recipient in each row.

use std::collections::BTreeSet;
use std::path::Path;

use csv::StringRecord;
use mailer_core::domain::{Fault, Recipient};

use super::source::{RecipientsError, Source};

/// A file whose form is known to be right; its rows may still be bad, each for itself.
#[derive(Debug)]
pub(crate) struct Recipients {
    source: Source,
    columns: Vec<String>,
    count: u64,
}

/// A row, and the line of the file it begins on.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) recipient: Result<Recipient, Fault>,
}

impl Recipients {
    /// Reads the file at `path`, or the examples, and checks its form.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, RecipientsError> {
        let source = path.map_or_else(|| Ok(Source::example()), Source::read)?;
        let file = source.file.clone();
        let mut reader = reader(&source.text);
        let header = reader
            .headers()
            .map_err(|error| RecipientsError::Csv {
                file: file.clone(),
                error,
            })?
            .clone();
        if header.is_empty() {
            return Err(RecipientsError::Empty { file });
        }
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut seen = BTreeSet::new();
        let named = columns.iter().filter(|name| !name.is_empty());
        if let Some(column) = named.into_iter().find(|name| !seen.insert(*name)) {
            let column = column.clone();
            return Err(RecipientsError::ColumnTwice { file, column });
        }
        let columns_shown = listed(&columns);
        if !columns.iter().any(|name| name == "email") {
            return Err(RecipientsError::NoEmail {
                file,
                columns: columns_shown,
            });
        }
        let mut count = 0;
        for record in reader.records() {
            record.map_err(|error| RecipientsError::Csv {
                file: file.clone(),
                error,
            })?;
            count += 1;
        }
        if count == 0 {
            return Err(RecipientsError::NoRows { file });
        }
        Ok(Self {
            source,
            columns,
            count,
        })
    }

    /// The name of the file.
    pub(crate) fn file(&self) -> &str {
        &self.source.file
    }

    /// How many rows it has, bad ones included.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// All rows, in their order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> + Send {
        let mut records = reader(&self.source.text).into_records();
        let text = self.source.text.as_bytes();
        let mut lines = Lines {
            text,
            at: 0,
            line: 1,
        };
        std::iter::from_fn(move || {
            // The form was checked when it was opened.
            let record = records.next()?.ok()?;
            let offset = record.position().map_or(0, csv::Position::byte);
            Some(Row {
                line: lines.of_record(offset as usize),
                recipient: self.recipient(&record),
            })
        })
    }

    /// Makes sure that every field a template needs is a column.
    pub(crate) fn have(&self, fields: &BTreeSet<String>) -> Result<(), RecipientsError> {
        let missing: Vec<&String> = fields
            .iter()
            .filter(|field| !self.columns.contains(field))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(RecipientsError::NoColumn {
            file: self.source.file.clone(),
            fields: listed(missing),
            columns: listed(&self.columns),
        })
    }

    fn recipient(&self, record: &StringRecord) -> Result<Recipient, Fault> {
        if record.len() != self.columns.len() {
            let rule = format!("the header names {} columns", self.columns.len());
            let values = format!("{} values", record.len());
            return Err(Fault::new("row", values, rule));
        }
        let mut recipient = Recipient::new("");
        let mut fields = Vec::new();
        for (column, value) in self.columns.iter().zip(record) {
            match column.as_str() {
                "email" => recipient = Recipient::new(value),
                "" => {}
                _ => fields.push((column, value)),
            }
        }
        for (column, value) in fields {
            recipient = match column.as_str() {
                "name" => recipient.name(value),
                "key" => recipient.key(value),
                _ => recipient,
            };
            recipient = recipient.field(column, value);
        }
        Ok(recipient)
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// Counts lines along the file.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a record that begins here, or behind the empty lines that stand here.
    fn of_record(&mut self, offset: usize) -> u64 {
        for byte in self.text.get(self.at..).unwrap_or_default() {
            if self.at >= offset && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.at += 1;
            self.line += u64::from(*byte == b'\n');
        }
        self.line
    }
}

fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    names
        .into_iter()
        .map(|name| format!("{:?}", name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}
