use std::fmt;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

use super::{Ending, Stretch, StretchKind, Timeline};
use crate::calendar::Zone;

/// For people: one line for each stretch, with its first instant on the wall of [`zone`](Self::zone) and in UTC. Of a
/// timeline with very many stretches, the first and the last ones.
impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:WALL$}  {:INSTANT$}", self.zone.name(), "UTC")?;
        let shown = self.stretches.len();
        let left_out = if shown > MOST_SHOWN {
            HEAD..shown - TAIL
        } else {
            0..0
        };
        for (place, stretch) in self.stretches.iter().enumerate() {
            if !left_out.contains(&place) {
                self.line(f, stretch.from, stretch)?;
            } else if place == left_out.start {
                writeln!(f, "... {} more lines ...", left_out.len())?;
            }
        }
        match (self.finished_at, self.ending) {
            (Some(at), _) => self.line(
                f,
                at,
                format_args!("the last of {} begins", self.recipients),
            ),
            (None, ending) => writeln!(
                f,
                "{ending}: {} of {} mails begin",
                self.begun, self.recipients
            ),
        }
    }
}

impl Timeline {
    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        at: DateTime<Utc>,
        what: impl fmt::Display,
    ) -> fmt::Result {
        let wall = on_the_wall(&self.zone, at).format("%a %Y-%m-%d %H:%M:%S");
        let instant = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        // chrono's formats do not know a width.
        let (wall, what) = (wall.to_string(), what.to_string());
        writeln!(f, "{wall:WALL$}  {instant:INSTANT$}  {what}")
    }
}

/// What happens and for how long: `sends 100`, `waits 15h 30m: rate_per_hour, moved by outside_hours`.
impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self
            .until
            .and_then(|until| (until - self.from).to_std().ok());
        match &self.kind {
            StretchKind::Sending { count } => {
                write!(f, "sends {count}")?;
                match length {
                    Some(length) if !length.is_zero() => write!(f, " in {}", Length(length)),
                    _ => Ok(()),
                }
            }
            StretchKind::Waiting { reason, detail } => {
                match length {
                    Some(length) => write!(f, "waits {}: {reason}", Length(length))?,
                    None => write!(f, "waits until the policy changes: {reason}")?,
                }
                match detail {
                    Some(detail) => write!(f, ", moved by {detail}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// In words: `finished`, `a limit of 0 is closed`.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::LimitClosed => f.write_str("never finished, since a limit of 0 is closed"),
            Self::NoOpening { searched_until } => write!(
                f,
                "halted, since the working hours do not open before {}",
                searched_until.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            Self::TooLong { followed_until } => write!(
                f,
                "not followed further than {}",
                followed_until.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
        }
    }
}

/// A length of time by its two largest units, rounded down: `3d 4h`, `15h 30m`, `59m 59s`, `250ms`.
struct Length(Duration);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        let parts = [
            (days, "d"),
            (hours, "h"),
            (minutes, "m"),
            (seconds % 60, "s"),
        ];
        let Some(first) = parts.iter().position(|(number, _)| *number > 0) else {
            return write!(f, "{}ms", self.0.as_millis());
        };
        let (number, unit) = parts[first];
        write!(f, "{number}{unit}")?;
        match parts.get(first + 1) {
            Some((number, unit)) if *number > 0 => write!(f, " {number}{unit}"),
            _ => Ok(()),
        }
    }
}

fn on_the_wall(zone: &Zone, at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let offset = i32::try_from(zone.offset_at(at.timestamp())).ok();
    let offset = offset.and_then(FixedOffset::east_opt);
    // chrono gives up on a wall beyond its own years.
    match offset {
        Some(offset) if at.naive_utc().checked_add_offset(offset).is_some() => {
            at.with_timezone(&offset)
        }
        _ => at.fixed_offset(),
    }
}

const WALL: usize = "Tue 2026-11-24 17:30:00".len();
const INSTANT: usize = "2026-11-24T14:30:00Z".len();
const MOST_SHOWN: usize = HEAD + TAIL + 1;
const HEAD: usize = 40;
const TAIL: usize = 10;
