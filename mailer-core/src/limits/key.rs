//! The names of counters.

use super::Micros;
use super::window::{dates, timestamp};
use crate::calendar::Zone;
use crate::domain::{Lanes, Limit, LimitKind, PaceUnit, Scope, Unit};

/// The name of the counter that `limit` has for `scope` at an instant. Caps are no part of it.
///
/// `rate:KIND[:WINDOW]`, then `:lanes=LANES` if not all, then the scope if it is not the namespace. Kinds and windows
/// never look like lanes or a scope, and the scope comes last, so that two counters never share a name:
///
/// | limit | name |
/// |---|---|
/// | `100/minute` | `rate:minute:2026-11-24:09:05` |
/// | `100/hour` | `rate:hour:2026-11-24:09` |
/// | `100/day@Europe/Moscow` | `rate:day:2026-11-24@Europe/Moscow` |
/// | `100/week` | `rate:week:2026-W48@UTC` |
/// | `100/month` | `rate:month:2026-11@UTC` |
/// | `100/60m rolling` | `rate:rolling:3600s` |
/// | `14/s pace per relay` | `rate:pace:second:relay:default` |
///
/// ```
/// use chrono::{DateTime, Utc};
/// use mailer_core::{domain::{Limit, Scope}, limits::key};
///
/// let at: DateTime<Utc> = "2026-11-24T09:05:00Z".parse()?;
/// let limit: Limit = "100/hour".parse()?;
/// assert_eq!(key(&limit, &Scope::Namespace, at.into()), "rate:hour:2026-11-24:09");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn key(limit: &Limit, scope: &Scope, at: Micros) -> String {
    let mut key = match limit.kind() {
        LimitKind::Calendar { unit, zone } => {
            format!("rate:{}:{}", unit.as_str(), label(*unit, zone, at))
        }
        LimitKind::Rolling { window } => format!("rate:rolling:{}s", window.as_secs()),
        LimitKind::Pace { per } => format!("rate:pace:{}", pace_label(*per)),
    };
    if limit.lanes() != Lanes::ALL {
        key = format!("{key}:lanes={}", limit.lanes());
    }
    match scope {
        Scope::Namespace => key,
        Scope::Relay(_) | Scope::Sender(_) | Scope::Campaign(_) | Scope::Stream(_) => {
            format!("{key}:{scope}")
        }
    }
}

fn label(unit: Unit, zone: &Zone, at: Micros) -> String {
    let utc = timestamp(at);
    match unit {
        Unit::Minute => utc.strftime("%Y-%m-%d:%H:%M").to_string(),
        Unit::Hour => utc.strftime("%Y-%m-%d:%H").to_string(),
        Unit::Day | Unit::Week | Unit::Month => {
            let (first, _) = dates(unit, zone, at);
            let label = match unit {
                Unit::Week => first.strftime("%G-W%V"),
                Unit::Month => first.strftime("%Y-%m"),
                Unit::Minute | Unit::Hour | Unit::Day => first.strftime("%Y-%m-%d"),
            };
            format!("{label}@{zone}")
        }
    }
}

const fn pace_label(per: PaceUnit) -> &'static str {
    match per {
        PaceUnit::Second => "second",
        PaceUnit::Minute => "minute",
        PaceUnit::Hour => "hour",
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn key_at(limit: &str, scope: &str, at: &str) -> String {
        let at: DateTime<Utc> = at.parse().unwrap();
        key(&limit.parse().unwrap(), &scope.parse().unwrap(), at.into())
    }

    #[test]
    fn names_show_kind_window_lanes_and_scope() {
        for (limit, scope, name) in [
            ("9/minute", "namespace", "rate:minute:2026-11-24:09:05"),
            ("9/hour", "namespace", "rate:hour:2026-11-24:09"),
            (
                "9/day@Europe/Moscow",
                "namespace",
                "rate:day:2026-11-24@Europe/Moscow",
            ),
            (
                "9/day@Asia/Tokyo",
                "namespace",
                "rate:day:2026-11-24@Asia/Tokyo",
            ),
            ("9/week", "namespace", "rate:week:2026-W48@UTC"),
            ("9/month", "namespace", "rate:month:2026-11@UTC"),
            ("9/60m rolling", "namespace", "rate:rolling:3600s"),
            (
                "9/s pace per relay",
                "relay:eu",
                "rate:pace:second:relay:eu",
            ),
            (
                "9/hour per relay lanes bulk",
                "relay:eu",
                "rate:hour:2026-11-24:09:lanes=bulk:relay:eu",
            ),
            (
                "9/day per sender",
                "sender:a@b.example",
                "rate:day:2026-11-24@UTC:sender:a@b.example",
            ),
        ] {
            assert_eq!(key_at(limit, scope, "2026-11-24T09:05:30Z"), name);
        }
    }

    #[test]
    fn the_later_pass_of_a_date_is_counted_with_the_next() {
        assert_eq!(
            key_at(
                "9/day@America/St_Johns",
                "namespace",
                "2010-11-07T03:00:00Z"
            ),
            "rate:day:2010-11-07@America/St_Johns"
        );
    }

    #[test]
    fn a_week_over_new_year_has_one_name() {
        for at in ["2026-12-31T12:00:00Z", "2027-01-03T12:00:00Z"] {
            assert_eq!(key_at("9/week", "namespace", at), "rate:week:2026-W53@UTC");
        }
    }
}
