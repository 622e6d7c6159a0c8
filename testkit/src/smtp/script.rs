use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::rule::{Action, Occurrence, Rule, Stage};

/// The rules of a server and how often each has matched.
#[derive(Debug, Default)]
pub(super) struct Script {
    rules: Mutex<Vec<Armed>>,
}

/// Something that happens on a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) connection: u64,
    pub(super) stage: Stage,
    pub(super) recipients: &'a [String],
}

#[derive(Debug)]
struct Armed {
    rule: Rule,
    matches: u64,
    matches_on: HashMap<u64, u64>,
}

impl Script {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let script = Self::default();
        script.replace(rules);
        script
    }

    pub(super) fn push(&self, rule: Rule) {
        self.lock().push(Armed::new(rule));
    }

    pub(super) fn replace(&self, rules: Vec<Rule>) {
        *self.lock() = rules.into_iter().map(Armed::new).collect();
    }

    /// What to do, in order: what lets the next rules speak first, at most one closing action last.
    pub(super) fn actions(&self, event: Event<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        for armed in self.lock().iter_mut() {
            if !armed.fires(event) {
                continue;
            }
            actions.push(armed.rule.action.clone());
            if matches!(armed.rule.action, Action::Reply(_) | Action::End(_)) {
                break;
            }
        }
        actions
    }

    /// The sizes at which a body has to be interrupted, smallest first.
    pub(super) fn body_marks(&self) -> Vec<usize> {
        let mut marks: Vec<usize> = self
            .lock()
            .iter()
            .filter_map(|armed| match armed.rule.stage {
                Stage::Body(mark) => Some(mark),
                _ => None,
            })
            .collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn new(rule: Rule) -> Self {
        Self {
            rule,
            matches: 0,
            matches_on: HashMap::new(),
        }
    }

    fn fires(&mut self, event: Event<'_>) -> bool {
        let rule = &self.rule;
        let matches = rule.stage == event.stage
            && rule
                .connection
                .is_none_or(|number| number == event.connection)
            && rule.recipient.as_ref().is_none_or(|wanted| {
                event
                    .recipients
                    .iter()
                    .any(|recipient| recipient.eq_ignore_ascii_case(wanted))
            });
        matches && self.is_due(event.connection)
    }

    fn is_due(&mut self, connection: u64) -> bool {
        let count = if self.rule.per_connection {
            self.matches_on.entry(connection).or_default()
        } else {
            &mut self.matches
        };
        *count += 1;
        match self.rule.occurrence {
            Occurrence::Any => true,
            Occurrence::Nth(n) => *count == n,
            Occurrence::First(n) => *count <= n,
            Occurrence::From(n) => *count >= n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(script: &Script, connection: u64) -> bool {
        let event = Event {
            connection,
            stage: Stage::Noop,
            recipients: &[],
        };
        !script.actions(event).is_empty()
    }

    #[test]
    fn occurrences_count_per_server_or_per_connection() {
        let noop = || Rule::at(Stage::Noop).cut();
        let run = |rule: Rule| {
            let script = Script::new(vec![rule]);
            [1, 1, 2, 2].map(|connection| fired(&script, connection))
        };
        assert_eq!(run(noop().nth(3)), [false, false, true, false]);
        assert_eq!(run(noop().first(3)), [true, true, true, false]);
        assert_eq!(run(noop().from_nth(2)), [false, true, true, true]);
        assert_eq!(
            run(noop().nth(1).per_connection()),
            [true, false, true, false]
        );
        assert_eq!(run(noop().on_connection(2)), [false, false, true, true]);
    }
}
