//! What is left of a purged campaign: its digest and its counts, as one line.

use mailer_core::Error;
use mailer_core::domain::{Counts, Digest};
use mailer_core::queue::Tombstone;

/// Reads what `purge.lua` writes.
pub(crate) fn decode(text: &str) -> Result<Tombstone, Error> {
    let wrong = || Error::incompatible("purge", format!("{text:?} is no tombstone"));
    let mut parts = text.split(' ');
    let digest = parts.next().and_then(Digest::from_hex).ok_or_else(wrong)?;
    let mut next = || {
        parts
            .next()
            .and_then(|part| part.parse().ok())
            .ok_or_else(wrong)
    };
    let counts = Counts {
        total: next()?,
        pending: next()?,
        in_flight: next()?,
        sent: next()?,
        failed: next()?,
        retrying: next()?,
        unknown: next()?,
        suppressed: next()?,
        skipped: next()?,
        expired: next()?,
        cancelled: next()?,
    };
    Ok(Tombstone { digest, counts })
}
