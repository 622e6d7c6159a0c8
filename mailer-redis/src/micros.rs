//! Instants as scripts have them: whole microseconds since 1970, below 2^53.

pub(crate) use mailer_core::limits::Micros;

/// Later than any instant.
pub(crate) const NEVER: i64 = 1 << 53;
