//! A campaign's status as it changes.

use std::time::Duration;

use super::Mailer;
use crate::Error;
use crate::domain::{CampaignId, Status};

/// Yields a campaign's status whenever it has changed. Made by [`Mailer::watch`].
#[derive(Debug)]
pub struct Watch {
    mailer: Mailer,
    campaign: CampaignId,
    every: Duration,
    last: Option<Status>,
}

impl Watch {
    pub(super) fn new(mailer: Mailer, campaign: CampaignId, every: Duration) -> Self {
        Self {
            mailer,
            campaign,
            every,
            last: None,
        }
    }

    /// The next status that differs from the last one. None, after a final one was given.
    ///
    /// # Errors
    /// `NotFound`, or if the store cannot be reached; it may be asked again.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> Result<Option<Status>, Error> {
        if self
            .last
            .as_ref()
            .is_some_and(|last| last.finished_at.is_some())
        {
            return Ok(None);
        }
        loop {
            let status = self.mailer.status(&self.campaign).await?;
            if self.last.as_ref() != Some(&status) {
                self.last = Some(status.clone());
                return Ok(Some(status));
            }
            let clock = &self.mailer.store().clock;
            let _hold = clock.hold();
            clock.sleep(self.every).await;
        }
    }
}
