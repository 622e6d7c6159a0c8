//! The trait of who tells workers what other processes did.

use std::fmt::Debug;
use std::pin::Pin;

use futures_core::Stream;

use crate::Error;

/// Tells the workers of every process that there may be something for them: the policy has changed, a campaign was
/// submitted or resumed, a mail was enqueued. A store without it loses nothing but time: until the next tick.
///
/// # Contract
/// - A piece of news is a hint. It may come for nothing, several may come as one, and any may be lost.
/// - The first piece comes when the subscription stands: what was changed before may have been missed. From then on a change
///   by any process is news as soon as it has been made.
/// - An error says that the subscription broke off or was refused, and the end says the same. Whoever wants to hear more
///   subscribes anew, after a pause.
/// - `subscribe` opens nothing and needs no runtime: polling does. No wait for news owns a [`Hold`](crate::clock::Hold).
///
/// # Cancel safety
/// A piece of news that is waited for is not lost when the wait is dropped. Dropping the subscription ends it.
///
/// ```
/// use futures_util::stream;
/// use mailer_core::news::{News, Subscription};
///
/// /// A store that says at once that there may be something, and nothing more.
/// #[derive(Debug)]
/// struct Once;
///
/// impl News for Once {
///     fn subscribe(&self) -> Subscription {
///         use futures_util::StreamExt as _;
///         Box::pin(stream::iter([Ok(())]).chain(stream::pending()))
///     }
/// }
/// ```
pub trait News: Debug + Send + Sync {
    /// What is news from here on.
    fn subscribe(&self) -> Subscription;
}

/// News as they come. See [`News`].
pub type Subscription = Pin<Box<dyn Stream<Item = Result<(), Error>> + Send>>;
