//! What a host does meanwhile, from a process of its own: single mails, pauses, other policies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::{CampaignId, Content, Message, OnUnknown, Policy, Recipient};
use mailer_core::queue::TicketState;
use mailer_core::template::Template;
use mailer_core::{Error, Mailer, Ticket};

use crate::Fallible;
use crate::record::Fate;
use crate::scene::Scene;

/// Who the single mails are from, and what stands for a campaign in the report.
pub(crate) const SENDER: &str = "messages";

/// How often it does something, if the last thing it did has come to its end.
const ACTS_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Host {
    mailer: Mailer,
    campaigns: Vec<CampaignId>,
    rule: OnUnknown,
    tickets: Vec<Ticket>,
}

impl Host {
    pub(crate) fn new(scene: &Scene, rule: OnUnknown) -> Self {
        Self {
            mailer: scene.mailer.clone(),
            campaigns: scene.campaigns.clone(),
            rule,
            tickets: Vec::new(),
        }
    }

    /// Does one thing after another until all is `over`; one that fails, because Redis is away, is done another time.
    pub(crate) async fn act(&mut self, over: &AtomicBool, seed: u64) {
        let mut random = Rng::with_seed(seed);
        while !over.load(Ordering::Relaxed) {
            SystemClock.sleep(ACTS_EVERY).await;
            let campaign = &self.campaigns[random.usize(..self.campaigns.len())];
            let _done = match random.u8(..10) {
                0 | 1 => self.mailer.pause(campaign, "chaos", "by chance").await,
                2..=4 => self.mailer.resume(campaign).await,
                5 => self.set_limit(random.u32(10_000..90_000)).await,
                _ => self.enqueue().await,
            };
        }
    }

    /// Lets everything go on that it has stopped, and does what it could not.
    pub(crate) async fn calm_down(&mut self) -> Fallible<()> {
        for campaign in &self.campaigns {
            if !self.mailer.status(campaign).await?.state.is_final() {
                self.mailer.resume(campaign).await?;
            }
        }
        self.mailer.set_policy(&Policy::unlimited(), None).await?;
        // Of the last one that failed it is not known whether it was enqueued.
        self.enqueue().await?;
        Ok(())
    }

    /// The number of single mails that are not final.
    pub(crate) async fn open(&self) -> Fallible<usize> {
        let mut open = 0;
        for ticket in &self.tickets {
            let state = self.mailer.ticket(ticket).await?;
            open += usize::from(!matches!(state, TicketState::Done(_)));
        }
        Ok(open)
    }

    /// What the ledger says of the single mails that are final.
    pub(crate) async fn fates(&self, mut taken: impl FnMut(&str) -> usize) -> Fallible<Vec<Fate>> {
        let campaign: CampaignId = SENDER.parse()?;
        let mut fates = Vec::new();
        for ticket in &self.tickets {
            if let TicketState::Done(told) = self.mailer.ticket(ticket).await? {
                fates.push(Fate {
                    campaign: campaign.clone(),
                    taken: taken(&told.address),
                    told: *told,
                });
            }
        }
        Ok(fates)
    }

    /// Twice, as a host does that has lost the answer.
    async fn enqueue(&mut self) -> Result<(), Error> {
        let number = self.tickets.len();
        let content = Content::new()
            .from(format!("{SENDER}@shop.example"))
            .template(Template::new("Receipt").text("Thanks."));
        let to = Recipient::new(format!("buyer{number}@example.com"));
        let message = Message::new(format!("receipt-{number}"), content, to).on_unknown(self.rule);
        self.mailer.enqueue(&message).await?;
        self.tickets.push(self.mailer.enqueue(&message).await?);
        Ok(())
    }

    async fn set_limit(&self, cap: u32) -> Result<(), Error> {
        if let Ok(policy) = Policy::new().limit(&format!("{cap}/minute")) {
            self.mailer.set_policy(&policy, None).await?;
        }
        Ok(())
    }
}
