//! Why the program ends without having done what it was asked for.

use std::io;
use std::path::PathBuf;

use mailer_core::ErrorKind;
use mailer_core::calendar::CalendarError;
use mailer_core::domain::PolicyError;
use mailer_smtp::SmtpConfigError;

use crate::ending::Ending;
use crate::input::{LetterError, RecipientsError};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    #[error(transparent)]
    Letter(#[from] LetterError),
    #[error("--hours: {0}")]
    Hours(#[from] CalendarError),
    #[error("--{0} needs --hours beside it")]
    NeedsHours(&'static str),
    #[error("--limit none removes all limits: it stands alone")]
    LimitBesideNone,
    #[error("--smtp: {0}")]
    Smtp(#[from] SmtpConfigError),
    #[error("the catcher cannot keep mails in {folder:?}: {error}")]
    Catcher { folder: PathBuf, error: io::Error },
    #[error("signals cannot be caught: {0}")]
    Signals(io::Error),
    #[error("the result cannot be written: {0}")]
    Output(io::Error),
    #[error("--reserved: {0}")]
    Policy(#[from] PolicyError),
    #[error("it cannot be put as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Mailer(#[from] mailer_core::Error),
}

impl Failure {
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Catcher { .. } | Self::Signals(_) | Self::Output(_) | Self::Json(_) => {
                Ending::Failed
            }
            Self::Mailer(error) => match error.kind() {
                ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::NotFound => Ending::BadInput,
                _ => Ending::Failed,
            },
            Self::Store(error) => error.ending(),
            Self::Recipients(_)
            | Self::Letter(_)
            | Self::Hours(_)
            | Self::NeedsHours(_)
            | Self::LimitBesideNone
            | Self::Policy(_)
            | Self::Smtp(_) => Ending::BadInput,
        }
    }
}
