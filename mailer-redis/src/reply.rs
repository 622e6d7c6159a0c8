//! What a script answers, read one part after the other.

use std::collections::VecDeque;

use mailer_core::Error;
use redis::Value;

use crate::micros::Micros;

/// A list that is read from its front. Anything but what is expected is an error: the server runs another script.
#[derive(Debug)]
pub(crate) struct Reply {
    op: &'static str,
    parts: VecDeque<Value>,
}

impl Reply {
    pub(crate) fn new(op: &'static str, value: Value) -> Result<Self, Error> {
        match value {
            Value::Array(parts) => Ok(Self {
                op,
                parts: parts.into(),
            }),
            other => Err(Self::unexpected(op, "a list", &other)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn next(&mut self) -> Value {
        self.parts.pop_front().unwrap_or(Value::Nil)
    }

    pub(crate) fn list(&mut self) -> Result<Self, Error> {
        let next = self.next();
        Self::new(self.op, next)
    }

    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        match self.next() {
            Value::Int(number) => Ok(number),
            Value::BulkString(bytes) => std::str::from_utf8(&bytes)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| {
                    Self::unexpected(self.op, "a whole number", &Value::BulkString(bytes))
                }),
            other => Err(Self::unexpected(self.op, "a whole number", &other)),
        }
    }

    /// A whole number that is not negative and fits.
    pub(crate) fn count<T: TryFrom<i64>>(&mut self) -> Result<T, Error> {
        let number = self.int()?;
        T::try_from(number).map_err(|_| Self::unexpected(self.op, "a count", &Value::Int(number)))
    }

    pub(crate) fn at(&mut self) -> Result<Micros, Error> {
        self.int().map(Micros::new)
    }

    /// An instant, or nothing.
    pub(crate) fn at_or_none(&mut self) -> Result<Option<Micros>, Error> {
        Ok(match self.text()? {
            text if text.is_empty() => None,
            text => {
                let number = text.parse().map_err(|_| {
                    Self::unexpected(self.op, "an instant", &Value::SimpleString(text))
                })?;
                Some(Micros::new(number))
            }
        })
    }

    /// A text; empty for nothing.
    pub(crate) fn text(&mut self) -> Result<String, Error> {
        match self.next() {
            Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|error| {
                Error::incompatible(self.op, format!("a text that is not UTF-8: {error}"))
            }),
            Value::SimpleString(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            Value::Nil => Ok(String::new()),
            other => Err(Self::unexpected(self.op, "a text", &other)),
        }
    }

    /// A byte for each index within a page.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        match self.next() {
            Value::BulkString(bytes) => Ok(bytes),
            other => Err(Self::unexpected(self.op, "bytes", &other)),
        }
    }

    /// All the rest, as texts.
    pub(crate) fn texts(mut self) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        while !self.is_empty() {
            texts.push(self.text()?);
        }
        Ok(texts)
    }

    /// The error of a word that this version does not know.
    pub(crate) fn unknown(&self, word: &str) -> Error {
        Error::incompatible(
            self.op,
            format!("the store answers {word:?}, which this version does not know"),
        )
    }

    fn unexpected(op: &'static str, expected: &str, found: &Value) -> Error {
        Error::incompatible(
            op,
            format!("the store answers {found:?} where {expected} is expected"),
        )
    }
}
