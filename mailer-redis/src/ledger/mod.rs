//! What became of campaigns and deliveries, and how the host steers them.

mod outcomes;
mod show;

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::domain::{CampaignId, Status, WorkerId};
use mailer_core::queue::{
    Delivery, DeliveryQuery, Hold, HoldChange, Ledger, Presence, Resolution, StreamId, Tombstone,
};

use crate::args::{Args, json};
use crate::intake::no_campaign;
use crate::script::{CAMPAIGNS, HOLD, PURGE, TRASH};
use crate::store::RedisStore;
use crate::tombstone;

/// So many ids are listed by one script.
const LISTED_AT_ONCE: usize = 1_000;
const OVERLAP: usize = 100;
/// So many campaigns are shown by one script.
const SHOWN_AT_ONCE: usize = 50;

#[async_trait]
impl Ledger for RedisStore {
    async fn status(&self, campaign: &CampaignId) -> Result<Status, Error> {
        let id = StreamId::from(campaign);
        let shown = self.show("status", std::slice::from_ref(&id)).await?;
        let status = match self.known("status", &id, &shown).await? {
            Some(stream) => shown.status(&stream),
            None => None,
        };
        status.ok_or_else(|| no_campaign("status", campaign))
    }

    async fn list(&self) -> Result<Vec<Status>, Error> {
        let mut ids: Vec<StreamId> = Vec::new();
        loop {
            let mut args = Args::new();
            // Some are asked for again: what was purged meanwhile has moved the others forward.
            args.len(ids.len().saturating_sub(OVERLAP))
                .len(LISTED_AT_ONCE);
            let mut reply = self.caller().call("list", &CAMPAIGNS, &args).await?.reply;
            let some = reply.list()?.texts()?;
            let is_last = some.len() < LISTED_AT_ONCE;
            ids.extend(some.into_iter().map(StreamId::from));
            if is_last {
                break;
            }
        }
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(SHOWN_AT_ONCE) {
            let shown = self.show("list", some).await?;
            let known = self.known_all("list", some, &shown).await?;
            all.extend(known.iter().filter_map(|stream| shown.status(stream)));
        }
        Ok(all)
    }

    async fn hold(&self, campaign: &CampaignId, change: &HoldChange) -> Result<(), Error> {
        let (verb, hold) = match change {
            HoldChange::Pause { by, why } => (
                "pause",
                Some(Hold::Paused {
                    by: by.clone(),
                    why: why.clone(),
                }),
            ),
            HoldChange::Resume => ("resume", None),
            HoldChange::Cancel => ("cancel", Some(Hold::Cancelled)),
        };
        let hold = hold.map(|hold| json("hold", &hold)).transpose()?;
        let mut args = Args::new();
        args.text(campaign.as_str())
            .text(verb)
            .text(hold.unwrap_or_default())
            .text("");
        let mut reply = self.caller().call("hold", &HOLD, &args).await?.reply;
        match reply.text()?.as_str() {
            "done" => Ok(()),
            "final" => Err(Error::conflict(
                "hold",
                format!("campaign {:?} is {}", campaign.as_str(), reply.text()?),
            )),
            "missing" => Err(no_campaign("hold", campaign)),
            word => Err(reply.unknown(word)),
        }
    }

    async fn outcomes(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error> {
        self.page_of(query).await
    }

    async fn purge(&self, campaign: &CampaignId) -> Result<Tombstone, Error> {
        let mut args = Args::new();
        args.text(campaign.as_str());
        let mut reply = self.caller().call("purge", &PURGE, &args).await?.reply;
        let tombstone = match reply.text()?.as_str() {
            "done" => tombstone::decode(&reply.text()?)?,
            "open" => {
                return Err(Error::conflict(
                    "purge",
                    format!(
                        "campaign {:?} is not finished: cancel it first",
                        campaign.as_str()
                    ),
                ));
            }
            "missing" => return Err(no_campaign("purge", campaign)),
            word => return Err(reply.unknown(word)),
        };
        // What is not removed here, because the host goes away, workers remove with their ticks.
        while self
            .caller()
            .call("purge", &TRASH, &Args::new())
            .await?
            .reply
            .int()?
            == 1
        {}
        Ok(tombstone)
    }

    async fn resolve(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        self.resolve_unknown(campaign, key, resolution).await
    }

    async fn workers(&self) -> Result<Vec<Presence>, Error> {
        let shown = self.show("workers", &[]).await?;
        Ok(shown
            .workers
            .into_iter()
            .map(|(worker, until, tick)| Presence::new(worker, tick.relays, until))
            .collect())
    }
}

/// A worker that lives, until when, and what it serves.
type Worker = (WorkerId, DateTime<Utc>, mailer_core::queue::Tick);
