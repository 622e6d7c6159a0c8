//! Working hours as a table: for who must decide without a calendar, such as a script inside a store.

use chrono::{DateTime, Utc};

use super::refusal::next_open;
use crate::calendar::{NoOpening, WorkCalendar};

/// A stretch of time with one answer: whoever comes at or after `from` and before `closes` finds it open from `opens` on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores read it")]
pub struct Opening {
    /// Where the stretch begins, closed until `opens`.
    pub from: DateTime<Utc>,
    /// When it opens. The calendar's own words, if it never does.
    pub opens: Result<DateTime<Utc>, NoOpening>,
    /// Where the stretch ends. None: never.
    pub closes: Option<DateTime<Utc>>,
}

/// The stretches that several calendars have in common: from each instant of `around` over its next opening and the one
/// after that. Sorted, without overlaps. Without calendars it is always open, and the table is empty.
///
/// ```
/// use mailer_core::calendar::WorkCalendar;
/// use mailer_core::schedule::openings;
///
/// let office = WorkCalendar::parse("Mon-Fri 09:00-18:00", "UTC")?;
/// let monday = "2026-11-23T07:00:00Z".parse()?;
/// let table = openings(&[&office], &[monday]);
/// assert_eq!(table[0].opens, Ok("2026-11-23T09:00:00Z".parse()?));
/// assert_eq!(table[1].opens, Ok("2026-11-24T09:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn openings(calendars: &[&WorkCalendar], around: &[DateTime<Utc>]) -> Vec<Opening> {
    let mut table: Vec<Opening> = Vec::new();
    if calendars.is_empty() {
        return table;
    }
    let mut around = around.to_vec();
    around.sort_unstable();
    for start in around {
        let mut from = start;
        for _ in 0..2 {
            // What an earlier stretch covers is not told twice.
            if let Some(last) = table
                .last()
                .filter(|last| last.closes.is_none_or(|end| from < end))
            {
                let Some(end) = last.closes else { return table };
                from = end;
            }
            let opens = next_open(calendars, from);
            let closes = opens.as_ref().ok().and_then(|opens| {
                calendars
                    .iter()
                    .filter_map(|hours| hours.closes(*opens))
                    .min()
            });
            table.push(Opening {
                from,
                opens,
                closes,
            });
            let Some(end) = closes else { return table };
            from = end;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn answer(table: &[Opening], at: DateTime<Utc>) -> Option<Option<DateTime<Utc>>> {
        let stretch = table
            .iter()
            .find(|stretch| stretch.from <= at && stretch.closes.is_none_or(|end| at < end))?;
        Some(stretch.opens.as_ref().ok().map(|opens| at.max(*opens)))
    }

    proptest! {
        #[test]
        fn the_table_answers_as_the_calendars_do(
            texts in prop::collection::vec(
                prop::sample::select(vec!["Mon-Fri 09:00-18:00", "Mon-Sun 00:00-24:00", "Sat 10:00-14:00", "Mon-Thu 22:00-06:00"]),
                1..3,
            ),
            minutes in prop::collection::vec(0i64..60_000, 1..4),
            later in 0i64..20_000,
        ) {
            let zero: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
            let hours: Vec<WorkCalendar> =
                texts.iter().map(|text| WorkCalendar::parse(text, "Europe/Berlin").unwrap()).collect();
            let hours: Vec<&WorkCalendar> = hours.iter().collect();
            let around: Vec<_> = minutes.iter().map(|minute| zero + TimeDelta::minutes(*minute)).collect();
            let table = openings(&hours, &around);
            for pair in table.windows(2) {
                prop_assert!(pair[0].closes.unwrap() <= pair[1].from);
            }
            for at in &around {
                prop_assert_eq!(answer(&table, *at), Some(next_open(&hours, *at).ok()));
                let at = *at + TimeDelta::minutes(later);
                if let Some(found) = answer(&table, at) {
                    prop_assert_eq!(found, next_open(&hours, at).ok());
                }
            }
        }
    }
}
