//! What the relay has taken, and what the ledger says of it.

use std::collections::BTreeMap;

use mailer_core::clock::Clock as _;
use mailer_core::domain::CampaignId;
use mailer_core::queue::Delivery;

use crate::Fallible;
use crate::clock::FastClock;
use crate::host::{Host, SENDER};
use crate::scene::Scene;

/// One recipient of one campaign.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) campaign: CampaignId,
    pub(crate) told: Delivery,
    /// How many mails of it the relay has taken.
    pub(crate) taken: usize,
}

/// The fate of every recipient, and the mails that nobody has asked for.
pub(crate) async fn fates(scene: &Scene, host: &Host) -> Fallible<(Vec<Fate>, usize)> {
    let mut taken = BTreeMap::<(String, String), usize>::new();
    for mail in scene.relay.mails() {
        for to in mail.to {
            *taken.entry((mail.from.clone(), to)).or_default() += 1;
        }
    }
    let mut fates = Vec::new();
    for campaign in &scene.campaigns {
        let from = format!("{campaign}@shop.example");
        for told in deliveries(scene, campaign).await? {
            let taken = taken.remove(&(from.clone(), told.address.clone()));
            fates.push(Fate {
                campaign: campaign.clone(),
                told,
                taken: taken.unwrap_or(0),
            });
        }
    }
    let from = format!("{SENDER}@shop.example");
    let single = host
        .fates(|to| taken.remove(&(from.clone(), to.to_owned())).unwrap_or(0))
        .await?;
    fates.extend(single);
    Ok((fates, taken.len()))
}

/// How many mails have started in each minute of the store's clock: when the relay read `MAIL FROM`.
pub(crate) fn minutes(scene: &Scene) -> BTreeMap<i64, u32> {
    let clock = FastClock::new(scene.orders.origin, scene.orders.speed);
    let now = clock.now();
    let mut minutes = BTreeMap::new();
    for command in scene.relay.commands() {
        if command.line.starts_with("MAIL") {
            let at = now - command.at.elapsed() * scene.orders.speed;
            *minutes.entry(at.timestamp().div_euclid(60)).or_default() += 1;
        }
    }
    minutes
}

async fn deliveries(scene: &Scene, campaign: &CampaignId) -> Fallible<Vec<Delivery>> {
    let total = scene.mailer.status(campaign).await?.counts.total;
    let mut all = Vec::new();
    let mut page = 0;
    while (all.len() as u64) < total {
        let some = scene.mailer.outcomes(campaign, page).await?;
        if some.is_empty() {
            break;
        }
        all.extend(some);
        page += 1;
    }
    Ok(all)
}
