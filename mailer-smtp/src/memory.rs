//! What the sessions of a transport remember of their relay together, to tell what passes from what does not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mailer_core::domain::Address;

/// How often, how far apart, and for how long a name must not exist before it counts as wrong: names vanish for a while
/// when their zone is changed.
const MOST_MISSES: u32 = 3;
const MISSES_APART: Duration = Duration::from_secs(60);
const MISSED_FOR: Duration = Duration::from_secs(300);

/// The relay's name did not exist.
#[derive(Debug, Default)]
pub(crate) struct Misses {
    seen: Mutex<Option<Missed>>,
}

#[derive(Debug, Clone, Copy)]
struct Missed {
    first: Duration,
    last: Duration,
    times: u32,
}

impl Misses {
    /// The name does not exist at this instant. True: for so long that it will not pass by itself.
    pub(crate) fn missed(&self, now: Duration) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = seen.get_or_insert(Missed {
            first: now,
            last: now,
            times: 1,
        });
        // Connections that are opened together are told the same once.
        if now.saturating_sub(missed.last) >= MISSES_APART {
            missed.last = now;
            missed.times = missed.times.saturating_add(1);
        }
        missed.times >= MOST_MISSES && now.saturating_sub(missed.first) >= MISSED_FOR
    }

    /// The name exists.
    pub(crate) fn found(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// So many senders are remembered, the latest ones.
const MOST_SENDERS: usize = 64;

/// Senders whose envelopes the relay did not understand.
#[derive(Debug, Default)]
pub(crate) struct Misunderstandings {
    /// Whether there are any: every mail asks.
    any: AtomicBool,
    senders: Mutex<Vec<(Address, Duration)>>,
}

impl Misunderstandings {
    /// An envelope of `sender` was not understood at this instant, on a connection that was opened at `opened_at`. True:
    /// not for the first time. What was under way at the first time counts with it.
    pub(crate) fn noted(&self, sender: &Address, opened_at: Duration, now: Duration) -> bool {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        match senders.iter().find(|(known, _)| known == sender) {
            Some((_, first)) => opened_at > *first,
            None => {
                if senders.len() >= MOST_SENDERS {
                    senders.remove(0);
                }
                senders.push((sender.clone(), now));
                self.any.store(true, Ordering::Relaxed);
                false
            }
        }
    }

    /// An envelope of `sender` was accepted.
    pub(crate) fn accepted(&self, sender: &Address) {
        if self.any.load(Ordering::Relaxed) {
            let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
            senders.retain(|(known, _)| known != sender);
            self.any.store(!senders.is_empty(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_name_is_wrong_after_three_misses_over_five_minutes() {
        let misses = Misses::default();
        let told: Vec<bool> = [1_000, 1_001, 1_299, 1_300, 1_301, 1_600]
            .map(|seconds| misses.missed(at(seconds)))
            .to_vec();
        // At 1 001 and 1 300 it is told what was told a moment before; the third time is at 1 600.
        assert_eq!(told, [false, false, false, false, false, true]);

        let often = Misses::default();
        let times = (0..30).map(|minute| often.missed(at(60 * minute)));
        assert_eq!(times.take_while(|is_wrong| !is_wrong).count(), 5);

        often.found();
        assert!(!often.missed(at(3_600)));
        assert!(!often.missed(at(3_900)));
        assert!(often.missed(at(4_200)));
    }

    #[test]
    fn a_second_misunderstanding_is_one_on_a_later_connection() {
        let (ann, bob) = (
            "ann@shop.example".parse().unwrap(),
            "bob@shop.example".parse().unwrap(),
        );
        let known = Misunderstandings::default();
        assert!(!known.noted(&ann, at(5), at(10)));
        assert!(!known.noted(&ann, at(6), at(11)), "it was open before");
        assert!(!known.noted(&bob, at(12), at(13)), "it is another's");
        assert!(known.noted(&ann, at(12), at(14)));
        known.accepted(&ann);
        assert!(!known.noted(&ann, at(15), at(16)));
        assert!(known.noted(&bob, at(15), at(16)));

        for n in 0..2 * MOST_SENDERS {
            let sender = format!("{n}@shop.example").parse().unwrap();
            known.noted(&sender, at(20), at(21));
        }
        assert_eq!(known.senders.lock().unwrap().len(), MOST_SENDERS);
        assert!(!known.noted(&bob, at(22), at(23)), "long forgotten");
    }
}
