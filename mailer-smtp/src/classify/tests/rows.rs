//! The table, read from the file that documents it.

use std::time::Duration;

/// One row of `table.md`.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) stages: Vec<&'static str>,
    pub(crate) class: &'static str,
    pub(crate) wait: Option<Duration>,
    pub(crate) connection: &'static str,
    pub(crate) examples: Vec<&'static str>,
}

impl Row {
    pub(crate) fn is_at(&self, stage: &str) -> bool {
        self.stages.contains(&stage)
    }

    /// Each stage of it with each of its examples.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of = |stage: &'static str| move |&example: &&'static str| (stage, example);
        self.stages
            .iter()
            .flat_map(move |&stage| self.examples.iter().map(of(stage)))
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let lines = include_str!("../table.md").lines();
    let rows: Vec<Row> = lines
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(row)
        .collect();
    assert!(rows.len() > 50, "the table is cut off: {}", rows.len());
    rows
}

fn row(line: &'static str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [stages, _, class, wait, connection, examples] = cells[..] else {
        panic!("six cells are needed: {line}");
    };
    let examples = examples.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    assert!(!examples.is_empty(), "a row needs an example: {line}");
    Row {
        stages: stages.split(", ").collect(),
        class: class.trim_matches('`'),
        wait: match wait {
            "" => None,
            "5 min" => Some(Duration::from_secs(300)),
            "1 h" => Some(Duration::from_secs(3_600)),
            other => panic!("unknown wait {other:?}: {line}"),
        },
        connection,
        examples,
    }
}
