//! How a policy would let a campaign out.

mod course;
mod fold;
mod table;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::calendar::{NoOpening, Zone};
use crate::domain::{Policy, Reason};

/// How a campaign would go out: what [`Policy::simulate`] answers. As text, it is a table for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Timeline {
    /// When it would be submitted.
    pub starts_at: DateTime<Utc>,
    /// How many recipients it has.
    pub recipients: u64,
    /// How many mails would have begun when the timeline ends: all of them, if it finishes.
    pub begun: u64,
    /// What it does, without gaps: each stretch begins where the one before ends. At most
    /// [`MOST_STRETCHES`](Self::MOST_STRETCHES).
    pub stretches: Vec<Stretch>,
    /// How many mails would begin in each hour of the UTC clock in which any does, in order.
    pub hours: Vec<(DateTime<Utc>, u64)>,
    /// When the last mail would begin. None: not within what was looked at, and [`ending`](Self::ending) says why.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why the timeline ends where it does.
    pub ending: Ending,
    /// Whose clock the table shows beside UTC's: that of the working hours, or of the first limit that has one.
    pub zone: Zone,
}

/// A part of a [`Timeline`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stretch {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it; of a burst, `from` itself. None: for ever.
    pub until: Option<DateTime<Utc>>,
    /// What happens.
    pub kind: StretchKind,
}

/// What happens in a [`Stretch`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StretchKind {
    /// Mails begin, with pauses of at most [two minutes](Timeline::SHORT_PAUSE) or as a pace spaces them.
    Sending {
        /// How many.
        count: u64,
    },
    /// Nothing begins.
    Waiting {
        /// What stops it.
        reason: Reason,
        /// What moved the end of the wait, if it was something else: the code of that reason.
        detail: Option<String>,
    },
}

/// Why a [`Timeline`] ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// Every mail has begun.
    Finished,
    /// A limit of 0 lets nothing through: the campaign waits until the policy changes.
    LimitClosed,
    /// The working hours never open: the campaign would be halted.
    NoOpening {
        /// How far it was searched.
        searched_until: DateTime<Utc>,
    },
    /// It goes on, but further than a forecast looks.
    TooLong {
        /// How far it was followed.
        followed_until: DateTime<Utc>,
    },
}

impl Timeline {
    /// How far a forecast looks ahead.
    pub const HORIZON: chrono::TimeDelta = chrono::TimeDelta::days(400);
    /// The most stretches that a timeline has.
    pub const MOST_STRETCHES: usize = 10_000;
    /// A wait for a limit that is no longer than this is part of the sending around it.
    pub const SHORT_PAUSE: chrono::TimeDelta = chrono::TimeDelta::minutes(2);
}

impl Policy {
    /// How a campaign of `n` recipients, submitted at `start`, would go out under this policy alone.
    ///
    /// Pure: the arithmetic of the store, and no store. It supposes that nothing else is sent, that every mail is taken
    /// at the first attempt, and that the relay takes any number at once; to suppose a slower relay, add its speed as a
    /// pace.
    ///
    /// ```
    /// use mailer_core::domain::Policy;
    ///
    /// let policy = Policy::new().limit("100/hour")?.hours("Mon-Fri 09:00-18:00", "Europe/Moscow")?;
    /// let timeline = policy.simulate("2026-11-24T14:30:00Z".parse()?, 150);
    /// // 17:30 in Moscow: 100 leave at once, the next hour is after work, so the others leave the next morning.
    /// assert_eq!(timeline.finished_at, Some("2026-11-25T06:00:00Z".parse()?));
    /// println!("{timeline}");
    ///
    /// let relay_of_5_a_second = policy.limit("5/s pace")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn simulate(&self, start: DateTime<Utc>, n: u64) -> Timeline {
        let mut course = course::Course::new(self, start, n);
        let mut fold = fold::Fold::new(start);
        let ending = loop {
            match course.next() {
                Ok(leg) => {
                    if let Err(full) = fold.push(leg) {
                        break full;
                    }
                }
                Err(ending) => break ending,
            }
        };
        fold.into_timeline(n, ending, course.zone())
    }
}

impl From<NoOpening> for Ending {
    fn from(never: NoOpening) -> Self {
        Self::NoOpening {
            searched_until: never.searched_until,
        }
    }
}

#[cfg(test)]
mod tests;
