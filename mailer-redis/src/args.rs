//! The arguments of a script, in the order in which it reads them.

use mailer_core::Error;
use serde::Serialize;

use crate::micros::Micros;

/// What a script reads one after the other: texts, whole numbers, instants in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Args(Vec<Vec<u8>>);

/// A value as scripts pass it on.
pub(crate) fn json(op: &'static str, value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|error| Error::source_failed(op, "a value that has no JSON", error))
}

impl Args {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn text(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.0.push(text.as_ref().to_vec());
        self
    }

    pub(crate) fn int(&mut self, number: impl Into<i128>) -> &mut Self {
        self.0.push(number.into().to_string().into_bytes());
        self
    }

    pub(crate) fn len(&mut self, length: usize) -> &mut Self {
        self.0.push(length.to_string().into_bytes());
        self
    }

    /// Indexes within a page, a byte each.
    pub(crate) fn indexes(&mut self, indexes: impl IntoIterator<Item = u16>) -> &mut Self {
        // No page is longer than a byte counts; an index beyond is in no page.
        let byte = |index| u8::try_from(index).unwrap_or(u8::MAX);
        self.0.push(indexes.into_iter().map(byte).collect());
        self
    }

    pub(crate) fn at(&mut self, at: Micros) -> &mut Self {
        self.int(at.get())
    }

    /// An instant, or an empty text.
    pub(crate) fn at_or_none(&mut self, at: Option<Micros>) -> &mut Self {
        match at {
            Some(at) => self.at(at),
            None => self.text(""),
        }
    }

    /// The same again, as it was written before.
    pub(crate) fn extend(&mut self, other: &Self) -> &mut Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}
