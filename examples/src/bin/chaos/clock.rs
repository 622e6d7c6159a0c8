//! A clock that all processes of a run share, and that goes faster than the real one.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::clock::{Clock, Hold, SystemClock};

#[derive(Debug, Clone, Copy)]
pub(crate) struct FastClock {
    /// When it showed the right time.
    pub(crate) origin: DateTime<Utc>,
    pub(crate) speed: u32,
}

impl FastClock {
    pub(crate) fn new(origin_micros: i64, speed: u32) -> Self {
        Self {
            origin: DateTime::from_timestamp_micros(origin_micros).unwrap_or_default(),
            speed,
        }
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> DateTime<Utc> {
        let speed = i32::try_from(self.speed).unwrap_or(i32::MAX);
        self.origin + (SystemClock.now() - self.origin) * speed
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic() * self.speed
    }

    async fn sleep(&self, duration: Duration) {
        // One more, as the division rounds down and a sleep is never too short.
        let real = (duration / self.speed).saturating_add(Duration::from_nanos(1));
        SystemClock.sleep(real).await;
    }

    fn hold(&self) -> Hold {
        Hold::none()
    }
}

/// How many microseconds since 1970 it is.
pub(crate) fn micros_now() -> i64 {
    SystemClock.now().timestamp_micros()
}

/// A length of the store's time, in real time.
pub(crate) fn real(length: TimeDelta, speed: u32) -> Duration {
    length.to_std().unwrap_or_default() / speed
}
