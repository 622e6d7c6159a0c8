//! What limits have left.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::{Lane, Scope};

/// Which limits have few tokens left, by scope and lane: so that who asks next asks for no more.
///
/// A hint, and true at the instant of the reply only: others take tokens, and windows turn. It binds nobody, and what it
/// does not name may be used up as well.
///
/// ```
/// use mailer_core::domain::{Lane, Scope};
/// use mailer_core::gate::{Left, Scarce};
///
/// let mut scarce = Scarce::default();
/// scarce.note(Scope::Namespace, Lane::Bulk, Left { tokens: 7, more_at: None });
/// scarce.note(Scope::Namespace, Lane::Bulk, Left { tokens: 3, more_at: None });
/// let told: Vec<_> = scarce.iter().collect();
/// assert_eq!(told, [(&Scope::Namespace, Lane::Bulk, Left { tokens: 3, more_at: None })]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scarce(BTreeMap<(Scope, Lane), Left>);

/// What the limits of a scope have left for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Left {
    /// So many may begin, if no limit of another scope stops them.
    pub tokens: u32,
    /// Where there are none, and one comes so soon that it is waited for
    /// ([`SHORT_WAIT`](crate::schedule::term::SHORT_WAIT)): when, by the store's clock.
    pub more_at: Option<DateTime<Utc>>,
}

impl Scarce {
    /// Adds what one limit has left. Of several limits of a scope the one counts that has least, or for longest nothing.
    pub fn note(&mut self, scope: Scope, lane: Lane, left: Left) {
        let least = self.0.entry((scope, lane)).or_insert(left);
        if left.plenty() < least.plenty() {
            *least = left;
        }
    }

    /// What is told, by scope and lane.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, Lane, Left)> {
        self.0
            .iter()
            .map(|((scope, lane), left)| (scope, *lane, *left))
    }
}

impl Left {
    /// By this they compare. That there is nothing soon is less than that there is.
    fn plenty(&self) -> impl Ord {
        (self.tokens, self.more_at.map(std::cmp::Reverse))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(tokens: u32, more_in: Option<i64>) -> Left {
        let at = |millis| DateTime::<Utc>::default() + chrono::TimeDelta::milliseconds(millis);
        let more_at = more_in.map(at);
        Left { tokens, more_at }
    }

    #[test]
    fn of_several_limits_the_one_counts_that_has_least_or_for_longest_nothing() {
        let ordered = [
            left(0, None),
            left(0, Some(900)),
            left(0, Some(70)),
            left(1, None),
            left(9, None),
        ];
        for (place, less) in ordered.iter().enumerate() {
            for more in &ordered[place..] {
                for pair in [[less, more], [more, less]] {
                    let mut scarce = Scarce::default();
                    for one in pair {
                        scarce.note(Scope::Namespace, Lane::Bulk, *one);
                    }
                    assert_eq!(scarce.iter().next().unwrap().2, *less, "{pair:?}");
                }
            }
        }
    }

    #[test]
    fn scopes_and_lanes_are_told_apart() {
        let mut scarce = Scarce::default();
        let sender = Scope::sender("a@shop.example");
        for (scope, lane, tokens) in [
            (sender, Lane::Bulk, 1),
            (Scope::Namespace, Lane::Bulk, 2),
            (Scope::Namespace, Lane::Test, 3),
        ] {
            scarce.note(scope, lane, left(tokens, None));
        }
        let told: Vec<u32> = scarce.iter().map(|(_, _, left)| left.tokens).collect();
        assert_eq!(told, [3, 2, 1]);
    }
}
