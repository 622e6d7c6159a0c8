use std::fmt;

use benches::contest::Contender;

/// Medians, and what they are of the first row's, as a table in Markdown.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(contenders: &[Contender]) -> Self {
        let names = contenders.iter().map(ToString::to_string);
        let title = "Mails/s (ratio)".to_owned();
        Self {
            rows: std::iter::once(title)
                .chain(names)
                .map(|cell| vec![cell])
                .collect(),
        }
    }

    /// The rates of each contender.
    pub(crate) fn column(&mut self, title: &str, rates: Vec<Vec<f64>>) {
        let medians: Vec<f64> = rates.into_iter().map(median).collect();
        let first = medians.first().copied().unwrap_or_default();
        let cells = medians
            .iter()
            .map(|rate| format!("{rate:.0} ({:.2})", rate / first));
        let cells = std::iter::once(title.to_owned()).chain(cells);
        for (row, cell) in self.rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates
        .get(rates.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if index == 0 {
                writeln!(f, "|{}", "---|".repeat(row.len()))?;
            }
        }
        Ok(())
    }
}
