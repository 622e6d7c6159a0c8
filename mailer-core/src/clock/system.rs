#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the machine's clock"
)]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Clock, Hold};

/// The machine's clock. Sleeping needs a tokio runtime with time enabled.
///
/// ```
/// use mailer_core::clock::{Clock, SystemClock};
///
/// let clock = SystemClock;
/// assert!(clock.monotonic() <= clock.monotonic());
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no parts")]
pub struct SystemClock;

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        ORIGIN.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn hold(&self) -> Hold {
        Hold::none()
    }
}
