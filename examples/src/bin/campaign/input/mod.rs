//! What is given: recipients, letter, policy. All of it is checked before anything is submitted.

mod letter;
mod policy;
mod recipients;
mod source;

use std::num::NonZeroUsize;

use chrono::{DateTime, NaiveDate, Utc};

pub(crate) use letter::{LetterError, content};
pub(crate) use policy::{LimitArg, PolicyChange};
pub(crate) use recipients::{Recipients, Row};
pub(crate) use source::RecipientsError;

/// A date as `YYYY-MM-DD` and in no other form.
pub(crate) fn date(text: &str) -> Result<NaiveDate, String> {
    text.parse::<NaiveDate>()
        .ok()
        .filter(|date| date.to_string() == text)
        .ok_or_else(|| format!("{text:?} is no date: write YYYY-MM-DD"))
}

/// A number of things of which there must be one.
pub(crate) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a whole number of at least 1"))
}

/// An instant with its offset from UTC.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.to_utc())
        .map_err(|_| format!("{text:?} is no instant: write such as 2026-11-24T17:00:00Z"))
}
