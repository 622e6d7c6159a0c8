use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::course::Leg;
use super::{Ending, Stretch, StretchKind, Timeline};
use crate::calendar::Zone;
use crate::domain::{Deferral, Reason};

/// Makes few stretches of many legs.
#[derive(Debug)]
pub(super) struct Fold {
    starts_at: DateTime<Utc>,
    begun: u64,
    stretches: Vec<Stretch>,
    hours: Vec<(DateTime<Utc>, u64)>,
    /// When the last mail began.
    last: DateTime<Utc>,
    /// A pause that is part of the sending, if that goes on after it.
    pause: Option<Deferral>,
}

impl Fold {
    pub(super) fn new(start: DateTime<Utc>) -> Self {
        Self {
            starts_at: start,
            begun: 0,
            stretches: Vec::new(),
            hours: Vec::new(),
            last: start,
            pause: None,
        }
    }

    /// Adds a leg, or says that the timeline is full.
    pub(super) fn push(&mut self, leg: Leg) -> Result<(), Ending> {
        match leg {
            Leg::Sending { from, last, count } => self.send(from, last, count),
            Leg::Waiting(deferral) => {
                let sending = self.sending().is_some() && self.pause.is_none();
                if sending && is_pause(&deferral) {
                    self.pause = Some(deferral);
                } else {
                    self.end_pause();
                    self.stretches.push(waiting(deferral));
                }
            }
        }
        if self.stretches.len() < Timeline::MOST_STRETCHES {
            return Ok(());
        }
        self.stretches.truncate(Timeline::MOST_STRETCHES);
        let last = self.stretches.last().and_then(|stretch| stretch.until);
        Err(Ending::TooLong {
            followed_until: last.unwrap_or(self.last),
        })
    }

    pub(super) fn into_timeline(mut self, recipients: u64, ending: Ending, zone: Zone) -> Timeline {
        self.end_pause();
        Timeline {
            starts_at: self.starts_at,
            recipients,
            begun: self.begun,
            stretches: self.stretches,
            hours: self.hours,
            finished_at: (ending == Ending::Finished).then_some(self.last),
            ending,
            zone,
        }
    }

    fn send(&mut self, from: DateTime<Utc>, last: DateTime<Utc>, count: u64) {
        self.pause = None;
        self.begun += count;
        self.last = last;
        let hour = last.duration_trunc(TimeDelta::hours(1)).unwrap_or(last);
        match self.hours.last_mut() {
            Some((same, number)) if *same == hour => *number += count,
            _ => self.hours.push((hour, count)),
        }
        if let Some((until, number)) = self.sending() {
            *until = Some(last);
            *number += count;
        } else {
            self.stretches.push(Stretch {
                from,
                until: Some(last),
                kind: StretchKind::Sending { count },
            });
        }
    }

    /// The sending that the timeline ends with.
    fn sending(&mut self) -> Option<(&mut Option<DateTime<Utc>>, &mut u64)> {
        match self.stretches.last_mut()? {
            Stretch {
                until,
                kind: StretchKind::Sending { count },
                ..
            } => Some((until, count)),
            Stretch {
                kind: StretchKind::Waiting { .. },
                ..
            } => None,
        }
    }

    /// The pause was the beginning of a wait.
    fn end_pause(&mut self) {
        if let Some(pause) = self.pause.take() {
            self.stretches.push(waiting(pause));
        }
    }
}

fn is_pause(deferral: &Deferral) -> bool {
    let short = |until| until - deferral.since <= Timeline::SHORT_PAUSE;
    let moved = deferral.detail.is_some() || deferral.reason == Reason::OutsideHours;
    !moved && (deferral.reason == Reason::Pacing || deferral.until.is_some_and(short))
}

fn waiting(deferral: Deferral) -> Stretch {
    Stretch {
        from: deferral.since,
        until: deferral.until,
        kind: StretchKind::Waiting {
            reason: deferral.reason,
            detail: deferral.detail,
        },
    }
}
