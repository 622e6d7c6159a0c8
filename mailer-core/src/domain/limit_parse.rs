//! Reading a limit from its text.

use std::str::FromStr;
use std::time::Duration;

use super::limit_error::Rule;
use super::{Lanes, Limit, LimitError, LimitKind, PaceUnit, ScopeKind, Unit};
use crate::calendar::Zone;

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (head, mut words) = {
            let mut words = text.split_whitespace().peekable();
            let head = words
                .next()
                .ok_or_else(|| LimitError::new(text, Rule::Empty))?;
            (head, words)
        };
        let how = words.next_if(|word| matches!(*word, "rolling" | "pace"));
        let refuse = |rule| LimitError::new(text, rule);
        let (cap, kind) = amount(head, how).map_err(refuse)?;
        let (per, lanes) = suffix(words).map_err(refuse)?;
        let limit =
            Self::new(cap, kind).map_err(|error| LimitError::new(text, error.into_rule()))?;
        Ok(limit.with_per(per).with_lanes(lanes))
    }
}

fn amount(head: &str, how: Option<&str>) -> Result<(u32, LimitKind), Rule> {
    let (cap, span) = head.split_once('/').unwrap_or((head, ""));
    let cap = digits(cap)
        .and_then(|cap| u32::try_from(cap).ok())
        .ok_or_else(|| Rule::Cap(cap.to_owned()))?;
    if span.is_empty() {
        return Err(Rule::NoUnit);
    }
    let (span, zone) = match span.split_once('@') {
        Some((span, zone)) => (span, Some(zone)),
        None => (span, None),
    };
    let kind = match how {
        Some(_) if zone.is_some() => return Err(Rule::NoZoneHere),
        Some("rolling") => rolling(span)?,
        Some(_) => pace(span)?,
        None => calendar(span, zone)?,
    };
    Ok((cap, kind))
}

fn calendar(span: &str, zone: Option<&str>) -> Result<LimitKind, Rule> {
    let unit = match word(span) {
        Some(Word::Second) => return Err(Rule::SecondWithoutPace),
        Some(Word::Minute) => Unit::Minute,
        Some(Word::Hour) => Unit::Hour,
        Some(Word::Day) => Unit::Day,
        Some(Word::Week) => Unit::Week,
        Some(Word::Month) => Unit::Month,
        None if length(span).is_some() => {
            return Err(Rule::LengthWithoutRolling(span.to_owned()));
        }
        None => return Err(Rule::UnknownUnit(span.to_owned())),
    };
    let zone = match zone {
        Some(_) if unit.on_utc_grid() => return Err(Rule::NoZoneHere),
        Some(zone) => zone.parse()?,
        None => Zone::utc(),
    };
    Ok(LimitKind::Calendar { unit, zone })
}

fn rolling(span: &str) -> Result<LimitKind, Rule> {
    let window = match word(span) {
        Some(unit) => unit.length(),
        None => length(span).ok_or_else(|| Rule::UnknownUnit(span.to_owned()))?,
    };
    window
        .map(|window| LimitKind::Rolling { window })
        .ok_or(Rule::RollingLength)
}

fn pace(span: &str) -> Result<LimitKind, Rule> {
    let per = match word(span) {
        Some(Word::Second) => PaceUnit::Second,
        Some(Word::Minute) => PaceUnit::Minute,
        Some(Word::Hour) => PaceUnit::Hour,
        Some(Word::Day | Word::Week | Word::Month) => return Err(Rule::PaceUnit),
        None => return Err(Rule::UnknownUnit(span.to_owned())),
    };
    Ok(LimitKind::Pace { per })
}

fn suffix<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<(ScopeKind, Lanes), Rule> {
    let mut per: Option<ScopeKind> = None;
    let mut lanes: Option<Lanes> = None;
    while let Some(word) = words.next() {
        match word {
            "per" => {
                let kind = words.next().ok_or(Rule::NothingAfter("per"))?.parse()?;
                if per.replace(kind).is_some() {
                    return Err(Rule::Twice("per"));
                }
            }
            "lanes" => {
                let named = words.next().ok_or(Rule::NothingAfter("lanes"))?.parse()?;
                if lanes.replace(named).is_some() {
                    return Err(Rule::Twice("lanes"));
                }
            }
            "for" if words.next() == Some("domain") => return Err(Rule::Domain),
            _ => return Err(Rule::Garbage(word.to_owned())),
        }
    }
    Ok((per.unwrap_or_default(), lanes.unwrap_or(Lanes::ALL)))
}

#[derive(Clone, Copy)]
enum Word {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Word {
    /// None for the month, which has no fixed length.
    fn length(self) -> Option<Duration> {
        let seconds = match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => return None,
        };
        Some(Duration::from_secs(seconds))
    }
}

fn word(name: &str) -> Option<Word> {
    Some(match name {
        "s" | "sec" | "second" => Word::Second,
        "m" | "min" | "minute" => Word::Minute,
        "h" | "hour" => Word::Hour,
        "d" | "day" => Word::Day,
        "w" | "week" => Word::Week,
        "month" => Word::Month,
        _ => return None,
    })
}

/// Some if it is written like a length, such as `60m`; within, none if no window can be that long.
fn length(span: &str) -> Option<Option<Duration>> {
    let (count, unit) = span.split_at(span.find(|c: char| !c.is_ascii_digit())?);
    if count.is_empty() {
        return None;
    }
    let unit = word(unit)?.length();
    let times = |unit: Duration| unit.checked_mul(u32::try_from(digits(count)?).ok()?);
    Some(unit.and_then(times))
}

/// A whole number in digits alone: a sign or an exponent would be a slip.
fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
