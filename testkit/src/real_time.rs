//! Every look at the real clock.

#![expect(
    clippy::disallowed_methods,
    reason = "servers on real sockets live in real time; no decision of the library depends on it"
)]

use std::{
    io,
    time::{Duration, Instant},
};

pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) async fn sleep(length: Duration) {
    tokio::time::sleep(length).await;
}

/// The future's output, or [`io::ErrorKind::TimedOut`] naming what was waited for.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    what: &str,
    future: F,
) -> io::Result<F::Output> {
    tokio::time::timeout(limit, future).await.map_err(|_| {
        io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{what}: not within {limit:?}"),
        )
    })
}
