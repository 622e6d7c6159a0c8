//! What is demanded of the server before mail depends on it.

/// How safe the server must keep what it has confirmed.
///
/// A server that forgets that a mail was begun lets it be sent twice, so [`RedisStore`](crate::RedisStore) looks at the
/// server's settings when it connects. Whatever is not an error by this choice is a warning in the
/// [`ServerReport`](crate::ServerReport).
///
/// | | evicts keys when memory is full | keeps no append-only file | is a replica |
/// |---|---|---|---|
/// | `AppendOnly` | error | error | error |
/// | `NoEviction` | error | warning | error |
/// | `Unchecked` | warning | warning | warning |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Everything that was confirmed survives a restart, as far as the server's `appendfsync` goes.
    AppendOnly,
    /// No key disappears while the server runs; what a restart keeps is left to the operator. The default.
    #[default]
    NoEviction,
    /// Nothing is demanded. For tests, and for those who know what they lose.
    Unchecked,
}
