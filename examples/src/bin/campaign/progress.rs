//! A campaign's progress on stderr: a bar on a terminal, elsewhere a line for every change of state.

use std::fmt::{self, Write};
use std::io::{IsTerminal as _, stderr};

use chrono::{DateTime, SecondsFormat, Utc};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use mailer_core::domain::{CampaignState, Status};

use crate::output::note;

#[derive(Debug)]
pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines(Option<Phase>),
}

/// What makes a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phase {
    state: CampaignState,
    reason: Option<String>,
    next_run_at: Option<DateTime<Utc>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        if !stderr().is_terminal() {
            return Self::Lines(None);
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template(
            "{bar:30} {prefix}, {rate} a second, {elapsed}\n{wide_msg}",
        ) {
            bar.set_style(
                style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
                    // A terminal that is not written to shows nothing, which is no error.
                    let _ = write!(out, "{:.0}", state.per_sec());
                }),
            );
        }
        Self::Bar(bar)
    }

    pub(crate) fn show(&mut self, status: &Status) {
        match self {
            Self::Bar(bar) => {
                let counts = &status.counts;
                bar.set_length(counts.total);
                bar.set_position(counts.total - counts.open());
                bar.set_prefix(counts.to_string());
                bar.set_message(Doing(status).to_string());
            }
            Self::Lines(last) => {
                let phase = Phase::of(status);
                if last.as_ref() != Some(&phase) {
                    note(format_args!("{}, {}", Doing(status), status.counts));
                    *last = Some(phase);
                }
            }
        }
    }

    pub(crate) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Phase {
    fn of(status: &Status) -> Self {
        Self {
            state: status.state,
            reason: status.reason_code.clone(),
            next_run_at: status.next_run_at,
        }
    }
}

/// State, reason and next run in words.
pub(crate) struct Doing<'a>(pub(crate) &'a Status);

impl fmt::Display for Doing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.0;
        write!(f, "{}", status.state)?;
        if let Some(code) = &status.reason_code {
            write!(f, ": {code}")?;
        }
        if let Some(at) = status.next_run_at {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            write!(f, ", next run {at}")?;
        }
        match &status.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}
