//! How the program ends, for whoever started it.

use std::process::ExitCode;

use mailer_core::domain::{CampaignState, Status};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done = 0,
    Failed = 1,
    BadInput = 2,
    LeftWaiting = 3,
    Halted = 4,
    Cancelled = 5,
    /// What shells call the end by a signal from the keyboard.
    StoppedAtOnce = 130,
}

impl Ending {
    pub(crate) fn of(status: &Status) -> Self {
        match status.state {
            CampaignState::Completed => Self::Done,
            CampaignState::Halted => Self::Halted,
            CampaignState::Cancelled => Self::Cancelled,
            CampaignState::Queued
            | CampaignState::Sending
            | CampaignState::Deferred
            | CampaignState::Paused => Self::LeftWaiting,
            _ => Self::Failed,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}
