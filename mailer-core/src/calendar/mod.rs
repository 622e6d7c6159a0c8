//! Working hours: when the policy lets mail begin, and when it opens again.

mod zone;

pub use zone::{Zone, ZoneError};
