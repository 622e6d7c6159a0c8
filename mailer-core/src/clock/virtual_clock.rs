use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Clock, Hold};

/// A clock that a program drives. Clones share their time.
///
/// It moves only in [`advance_to`](Self::advance_to), from one sleeper's due time to the next, and only while every
/// [`Hold`] is asleep: so a week of a campaign runs in the time that its work takes, through the same code.
///
/// ```
/// use std::time::Duration;
/// use mailer_core::clock::{Clock, VirtualClock};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = VirtualClock::at("2026-11-24T09:00:00Z".parse().unwrap());
/// let hold = clock.hold();
/// let sleeper = tokio::spawn({
///     let clock = clock.clone();
///     async move {
///         clock.sleep(Duration::from_secs(3600)).await;
///         drop(hold);
///     }
/// });
/// clock.advance(Duration::from_secs(7200)).await;
/// sleeper.await.unwrap();
/// assert_eq!(clock.monotonic(), Duration::from_secs(7200));
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct VirtualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    origin: DateTime<Utc>,
    elapsed: Duration,
    holds: usize,
    /// Sleepers by due time and a number that tells them apart.
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    next: u64,
    driver: Option<Waker>,
}

impl VirtualClock {
    /// A clock that shows `now`, and stands.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                origin: now,
                elapsed: Duration::ZERO,
                holds: 0,
                sleepers: BTreeMap::new(),
                next: 0,
                driver: None,
            })),
        }
    }

    /// Moves on by `duration`. See [`advance_to`](Self::advance_to).
    pub async fn advance(&self, duration: Duration) {
        let until = self.monotonic().saturating_add(duration);
        while self.step(until).await {}
    }

    /// Moves on to `at`, waking every sleeper at its own due time; returns when all that was woken has come to rest.
    pub async fn advance_to(&self, at: DateTime<Utc>) {
        let ahead = (at - self.now()).to_std().unwrap_or_default();
        self.advance(ahead).await;
    }

    /// Sets the wall clock, forth or back, as an operator might. No time passes: [`monotonic`](Clock::monotonic) stays.
    pub fn set_wall(&self, now: DateTime<Utc>) {
        let mut state = self.lock();
        state.origin = now - state.elapsed;
    }

    /// Waits until everything is at rest, then moves to the next due time, if it is not after `until`.
    /// Says whether there may be more before `until`.
    ///
    /// This is what a simulation that ends on a condition calls between its looks.
    pub async fn step(&self, until: Duration) -> bool {
        self.rest().await;
        let moved = self.lock().move_on(until);
        if moved {
            self.rest().await;
        }
        moved
    }

    /// Waits until every hold is asleep.
    pub async fn rest(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.is_at_rest() {
                Poll::Ready(())
            } else {
                state.driver = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Moves to the next due time and wakes who is due then; or to `until`, if nobody is due by then.
    fn move_on(&mut self, until: Duration) -> bool {
        let due = self.sleepers.first_key_value().map(|((due, _), _)| *due);
        let Some(due) = due.filter(|due| *due <= until) else {
            self.elapsed = self.elapsed.max(until);
            return false;
        };
        self.elapsed = self.elapsed.max(due);
        while let Some(entry) = self
            .sleepers
            .first_entry()
            .filter(|entry| entry.key().0 <= due)
        {
            if let Some(waker) = entry.remove() {
                waker.wake();
            }
        }
        true
    }

    fn is_at_rest(&self) -> bool {
        self.holds <= self.sleepers.len()
    }

    fn tell_driver(&mut self) {
        if self.is_at_rest()
            && let Some(driver) = self.driver.take()
        {
            driver.wake();
        }
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let state = self.lock();
        state.origin + state.elapsed
    }

    fn monotonic(&self) -> Duration {
        self.lock().elapsed
    }

    async fn sleep(&self, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        let asleep = Asleep::until(self, self.monotonic().saturating_add(duration));
        poll_fn(|cx| asleep.poll(cx.waker())).await;
    }

    fn hold(&self) -> Hold {
        self.lock().holds += 1;
        let clock = self.clone();
        Hold::new(move || {
            let mut state = clock.lock();
            state.holds -= 1;
            state.tell_driver();
        })
    }
}

/// A sleeper's entry, taken away when the sleep is dropped.
struct Asleep<'a> {
    clock: &'a VirtualClock,
    key: (Duration, u64),
}

impl<'a> Asleep<'a> {
    fn until(clock: &'a VirtualClock, due: Duration) -> Self {
        let mut state = clock.lock();
        let key = (due, state.next);
        state.next += 1;
        Self { clock, key }
    }

    fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.clock.lock();
        if self.key.0 <= state.elapsed {
            state.sleepers.remove(&self.key);
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, Some(waker.clone()));
        state.tell_driver();
        Poll::Pending
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
    }
}
