//! The one place that waits in real time: sockets and relays live in it.

#![expect(
    clippy::disallowed_methods,
    reason = "a deadline for a real socket is real time; no decision about when to send depends on it"
)]

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Bounds one wait after the other.
///
/// A session waits several times per mail and hardly ever in vain, so the timer is not set anew for every wait: it rings
/// at the earliest deadline asked for so far, and only then is the present deadline looked at.
pub(crate) struct Deadline {
    alarm: Pin<Box<Sleep>>,
}

/// The time for a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimedOut;

impl Deadline {
    /// To be called within a runtime.
    pub(crate) fn new() -> Self {
        Self {
            alarm: Box::pin(sleep(Duration::from_secs(3_600))),
        }
    }

    /// The future's output, if it comes within `limit`.
    ///
    /// # Cancel safety
    /// That of the future.
    pub(crate) async fn within<F: Future>(
        &mut self,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, TimedOut> {
        let mut future = pin!(future);
        let mut ends_at = None;
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            let ends_at = *ends_at.get_or_insert_with(|| after(limit));
            if ends_at < self.alarm.deadline() || self.alarm.is_elapsed() {
                self.alarm.as_mut().reset(ends_at);
            }
            while self.alarm.as_mut().poll(context).is_ready() {
                if Instant::now() >= ends_at {
                    return Poll::Ready(Err(TimedOut));
                }
                self.alarm.as_mut().reset(ends_at);
            }
            Poll::Pending
        })
        .await
    }
}

/// `length` from now; a length beyond all calendars is a year.
fn after(length: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(length)
        .unwrap_or(now + Duration::from_secs(365 * 86_400))
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deadline")
    }
}
