//! What is said at the end of a run.

use std::fmt;

use mailer_core::domain::Status;

use crate::progress::Doing;
use crate::relay::Relay;

#[derive(Debug)]
pub(crate) struct Summary<'a> {
    pub(crate) status: &'a Status,
    pub(crate) relay: &'a Relay,
    /// Rows of the recipients' file that were not taken.
    pub(crate) refused: u64,
    /// Whether what is left is gone with this process.
    pub(crate) forgets: bool,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status;
        writeln!(f, "campaign  {}", status.campaign)?;
        writeln!(f, "state     {}", Doing(status))?;
        writeln!(f, "mails     {}", status.counts)?;
        if self.refused > 0 {
            let rows = if self.refused == 1 { "row" } else { "rows" };
            writeln!(
                f,
                "refused   {} {rows} of the recipients' file, named above",
                self.refused
            )?;
        }
        if let (Some(start), Some(end)) = (status.started_at, status.finished_at) {
            let seconds = (end - start).as_seconds_f64();
            write!(f, "time      {seconds:.1} s")?;
            if seconds > 0.0 {
                let rate = status.counts.sent as f64 / seconds;
                let decimals = usize::from(rate < 10.0);
                write!(f, ", {rate:.decimals$} mails a second")?;
            }
            writeln!(f)?;
        }
        if self.forgets && status.counts.open() > 0 {
            writeln!(
                f,
                "left      {} recipients; the memory store ends with this process, so nothing resumes them",
                status.counts.open()
            )?;
        }
        write!(f, "relay     {}", self.relay)
    }
}
