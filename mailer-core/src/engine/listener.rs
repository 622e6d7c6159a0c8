//! Hearing what other processes did.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::plan::backoff;
use crate::clock::Clock;
use crate::news::{News, Subscription};
use crate::{Error, ErrorKind};

/// After a piece of news no other is listened to for so long: what comes meanwhile is one. A worker that is told of every
/// mail of a busy host looks twenty times a second, and nobody waits longer than this.
const REST: Duration = Duration::from_millis(50);
/// News that end without a word are asked for again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What was refused is asked for again after this: somebody may have granted it.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// A worker's subscription, taken up again whenever it breaks off.
pub(super) struct Listener {
    /// None: the store has no news.
    news: Option<Arc<dyn News>>,
    subscription: Option<Subscription>,
    rests_until: Duration,
    failures: u32,
    complaint: Option<String>,
}

impl Listener {
    pub(super) fn new(news: Option<Arc<dyn News>>) -> Self {
        Self {
            news,
            subscription: None,
            rests_until: Duration::ZERO,
            failures: 0,
            complaint: None,
        }
    }

    /// Until when nothing is listened to. `None`: it listens, or there is nothing to listen to.
    pub(super) fn rests_until(&self, now: Duration) -> Option<Duration> {
        (self.rests_until > now).then_some(self.rests_until)
    }

    /// Waits for what comes next; whether it is news. To be asked only while it does not rest. May be dropped.
    pub(super) async fn heard(&mut self, clock: &dyn Clock) -> bool {
        let Some(news) = &self.news else {
            return std::future::pending().await;
        };
        let subscription = self.subscription.get_or_insert_with(|| news.subscribe());
        let heard = subscription.next().await;
        let now = clock.monotonic();
        match heard {
            Some(Ok(())) => {
                (self.failures, self.complaint) = (0, None);
                self.rests_until = now + REST;
                true
            }
            Some(Err(error)) => self.broke_off(now, &error),
            None => self.broke_off(now, &Error::unavailable("news", "they ended", AGAIN_AFTER)),
        }
    }

    fn broke_off(&mut self, now: Duration, error: &Error) -> bool {
        self.subscription = None;
        let pause = match error.kind() {
            ErrorKind::Unavailable => backoff(self.failures, error),
            _ => REFUSED_FOR,
        };
        self.failures = self.failures.saturating_add(1);
        self.rests_until = now + pause;
        self.complaint = Some(format!(
            "what other processes change is only noticed by the next tick: {error}"
        ));
        false
    }

    /// What keeps it from hearing anything.
    pub(super) fn complaint(&self) -> Option<&String> {
        self.complaint.as_ref()
    }
}
