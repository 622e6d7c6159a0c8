//! Taking in campaigns page by page, and single mails.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::page::Page;
use super::state::State;
use super::stream::{Sealable, Stream};
use crate::Error;
use crate::domain::{CampaignSpec, MessageSpec, PAGE_SIZE, Record, encode_page};
use crate::gate::Binding;
use crate::queue::{Created, Load, Loading, StreamId};
use crate::schedule::term::LOAD_LEASE;

impl State {
    pub(super) fn create(
        &mut self,
        now: DateTime<Utc>,
        spec: &CampaignSpec,
        loader: u64,
    ) -> Result<Created, Error> {
        let conflict = |detail: &str| {
            Error::conflict(
                "submit",
                format!("campaign {:?} {detail}", spec.id.as_str()),
            )
        };
        if let Some(tombstone) = self.tombstones.get(&spec.id) {
            return Ok(Created::Purged(tombstone.clone()));
        }
        let id = StreamId::from(&spec.id);
        let stream = self.streams.entry(id.clone()).or_insert_with(|| {
            let digest = spec.digest();
            let campaign = Sealable {
                spec: Arc::new(spec.clone()),
                letter: Arc::new(spec.letter.clone()),
                digest,
                before_last: digest,
                last_key: None,
                loader,
                loaded_at: now,
                sealed_at: None,
            };
            Stream::new(Binding::of_campaign(spec), Some(campaign))
        });
        let (pages, total) = (u64::from(stream.next_page), stream.counts.total);
        let campaign = stream
            .campaign
            .as_mut()
            .ok_or_else(|| conflict("is the name of a standing stream"))?;
        if *campaign.spec != *spec {
            return Err(conflict(
                "exists already with other content: choose another id",
            ));
        }
        if campaign.sealed_at.is_some() {
            return Ok(Created::Sealed {
                digest: campaign.digest,
                total,
            });
        }
        if campaign.loader != loader && now - campaign.loaded_at < LOAD_LEASE {
            return Err(conflict("is being loaded by another process"));
        }
        campaign.loader = loader;
        campaign.loaded_at = now;
        let load = Load {
            campaign: spec.id.clone(),
            loader,
            pages,
            digest: campaign.digest,
        };
        let resume_after = campaign.last_key.clone();
        self.order.add(id, &Binding::of_campaign(spec), spec.weight);
        Ok(Created::Loading(Loading { load, resume_after }))
    }

    pub(super) fn append(
        &mut self,
        now: DateTime<Utc>,
        load: &Load,
        records: &[Record],
    ) -> Result<Load, Error> {
        let stream = self.loading("append", load)?;
        if records.is_empty() || records.len() > PAGE_SIZE {
            return Err(Error::conflict(
                "append",
                format!("a page has 1 to {PAGE_SIZE} recipients"),
            ));
        }
        let next_page = u64::from(stream.next_page);
        let Some(campaign) = &mut stream.campaign else {
            return Err(Error::not_found("append", "not a campaign"));
        };
        let digest = load.digest.then(encode_page(records).as_bytes());
        let next = Load {
            pages: load.pages + 1,
            digest,
            ..load.clone()
        };
        let is_repeated = load.pages + 1 == next_page
            && load.digest == campaign.before_last
            && digest == campaign.digest;
        if is_repeated {
            return Ok(next);
        }
        if campaign.sealed_at.is_some() {
            return Err(Error::conflict("append", "the campaign is loaded already"));
        }
        if load.pages != next_page || load.digest != campaign.digest {
            return Err(Error::conflict(
                "append",
                format!(
                    "the page does not follow: {next_page} pages are stored, and page {} of another source was given",
                    load.pages
                ),
            ));
        }
        campaign.before_last = campaign.digest;
        campaign.digest = digest;
        campaign.last_key = records.last().map(|record| record.key().to_owned());
        campaign.loaded_at = now;
        let added = u64::try_from(records.len()).unwrap_or(u64::MAX);
        stream.counts.total += added;
        stream.counts.pending += added;
        stream.add_page(Page::of_records(records));
        Ok(next)
    }

    pub(super) fn seal(&mut self, now: DateTime<Utc>, load: &Load) -> Result<(), Error> {
        let stream = self.loading("seal", load)?;
        let pages = u64::from(stream.next_page);
        let Some(campaign) = &mut stream.campaign else {
            return Err(Error::not_found("seal", "not a campaign"));
        };
        if campaign.digest != load.digest || load.pages != pages {
            return Err(Error::conflict(
                "seal",
                "other pages are stored than were given",
            ));
        }
        campaign.sealed_at.get_or_insert(now);
        stream.note_end(now);
        self.place(&StreamId::from(&load.campaign), now);
        Ok(())
    }

    fn loading(&mut self, op: &'static str, load: &Load) -> Result<&mut Stream, Error> {
        let id = StreamId::from(&load.campaign);
        self.stream(op, &id)?;
        let stream = self
            .streams
            .get_mut(&id)
            .ok_or_else(|| Error::not_found(op, "the campaign is gone"))?;
        match &stream.campaign {
            Some(campaign) if campaign.loader != load.loader => Err(Error::conflict(
                op,
                "another process has taken over loading",
            )),
            Some(campaign) if campaign.sealed_at.is_some() && campaign.digest != load.digest => {
                Err(Error::conflict(op, "the campaign is loaded already"))
            }
            _ => Ok(stream),
        }
    }

    pub(super) fn enqueue(&mut self, now: DateTime<Utc>, message: &MessageSpec) {
        let id = StreamId::standing(message);
        let stream = self
            .streams
            .entry(id.clone())
            .or_insert_with(|| Stream::new(Binding::of_message(message), None));
        if stream.keys.contains_key(&message.key) {
            return;
        }
        // A page in hand is not added to: the new mail would wait for its owner.
        let last = stream.next_page.checked_sub(1);
        let open = last.filter(|last| {
            stream
                .pages
                .get(last)
                .is_some_and(|page| page.owner.is_none() && page.states.len() < PAGE_SIZE)
        });
        let number = open.unwrap_or_else(|| stream.add_page(Page::of_messages()));
        if let Some(page) = stream.pages.get_mut(&number) {
            let index = u16::try_from(page.states.len()).unwrap_or(u16::MAX);
            page.push(message.clone());
            stream.keys.insert(message.key.clone(), (number, index));
            stream.counts.total += 1;
            stream.counts.pending += 1;
        }
        stream.set_due(number);
        let binding = Arc::clone(&stream.binding);
        self.order.add(id.clone(), &binding, 1);
        self.place(&id, now);
    }
}
