//! One kind of call to the store: at most one is under way, and a failed one is repeated.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::Error;

/// The longest wait before a failed call is repeated.
const LONGEST: Duration = Duration::from_secs(5);

/// A call and what it asked, kept until it is answered, so that it can be repeated as it was.
#[derive(Debug)]
pub(super) struct Call<T> {
    asked: Option<T>,
    under_way: bool,
    again_at: Duration,
    failures: u32,
}

impl<T: Clone> Call<T> {
    pub(super) const fn new() -> Self {
        Self {
            asked: None,
            under_way: false,
            again_at: Duration::ZERO,
            failures: 0,
        }
    }

    /// Whether something else can be asked.
    pub(super) fn is_free(&self) -> bool {
        self.asked.is_none()
    }

    pub(super) fn ask(&mut self, asked: T) -> T {
        self.under_way = true;
        self.asked.insert(asked).clone()
    }

    /// The failed call, once its time has come.
    pub(super) fn again(&mut self, now: Duration) -> Option<T> {
        if self.under_way || now < self.again_at {
            return None;
        }
        let asked = self.asked.clone()?;
        self.under_way = true;
        Some(asked)
    }

    /// What was asked, and not answered yet.
    pub(super) fn asked(&self) -> Option<&T> {
        self.asked.as_ref()
    }

    /// When a failed call is to be repeated.
    pub(super) fn again_at(&self) -> Option<Duration> {
        (self.asked.is_some() && !self.under_way).then_some(self.again_at)
    }

    /// Takes an answer. None: it failed, and is repeated later.
    pub(super) fn answered<R>(
        &mut self,
        now: Duration,
        result: Result<R, Error>,
    ) -> Result<(T, R), Option<Error>> {
        self.under_way = false;
        match result {
            Ok(reply) => {
                self.failures = 0;
                self.asked.take().map(|asked| (asked, reply)).ok_or(None)
            }
            Err(error) => {
                self.again_at = now + backoff(self.failures, &error);
                self.failures = self.failures.saturating_add(1);
                Err(Some(error))
            }
        }
    }
}

/// How long to wait after so many failures and this one.
pub(in crate::engine) fn backoff(failures: u32, error: &Error) -> Duration {
    let longer = Duration::from_millis(250) * 2u32.saturating_pow(failures.min(5));
    error.retry_after().unwrap_or(longer).min(LONGEST)
}

/// The store's clock as a worker knows it: what it said, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreTime {
    said: DateTime<Utc>,
    /// By the worker's monotonic clock: before the call, and after its reply.
    asked: Duration,
    heard: Duration,
}

impl StoreTime {
    pub(super) fn new(said: DateTime<Utc>, asked: Duration, heard: Duration) -> Self {
        Self { said, asked, heard }
    }

    /// What the store's clock shows at `now`, about.
    pub(super) fn at(&self, now: Duration) -> DateTime<Utc> {
        let passed =
            TimeDelta::from_std(now.saturating_sub(self.heard)).unwrap_or(TimeDelta::MAX / 4);
        self.said + passed
    }

    /// An instant of the store's clock that must not be passed: rather early than late.
    pub(super) fn deadline(&self, at: DateTime<Utc>) -> Duration {
        self.asked + (at - self.said).to_std().unwrap_or_default()
    }

    /// An instant of the store's clock that is waited for: rather late than early.
    pub(super) fn wake(&self, at: DateTime<Utc>) -> Duration {
        self.heard
            .saturating_add((at - self.said).to_std().unwrap_or_default())
    }
}
