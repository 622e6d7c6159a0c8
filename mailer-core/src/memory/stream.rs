//! A stream of pages, and what is known of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::page::Page;
use crate::domain::{CampaignSpec, Counts, Digest, Letter, Scope, ScopeKind};
use crate::gate::Binding;
use crate::queue::Hold;
use crate::schedule::{Breaker, View};

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) binding: Arc<Binding>,
    /// None for a standing stream.
    pub(super) campaign: Option<Sealable>,
    pub(super) pages: BTreeMap<u32, Page>,
    pub(super) next_page: u32,
    /// Pages without an owner, by their earliest due delivery.
    pub(super) due: BTreeSet<(DateTime<Utc>, u32)>,
    pub(super) counts: Counts,
    pub(super) hold: Option<Hold>,
    pub(super) breaker: Breaker,
    pub(super) begun_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    /// Single mails by key, for a standing stream.
    pub(super) keys: HashMap<String, (u32, u16)>,
}

/// What a campaign has beside its pages.
#[derive(Debug)]
pub(super) struct Sealable {
    pub(super) spec: Arc<CampaignSpec>,
    pub(super) letter: Arc<Letter>,
    /// Over the campaign and its pages.
    pub(super) digest: Digest,
    /// The digest before the last page: what its repetition names.
    pub(super) before_last: Digest,
    pub(super) last_key: Option<String>,
    pub(super) loader: u64,
    pub(super) loaded_at: DateTime<Utc>,
    pub(super) sealed_at: Option<DateTime<Utc>>,
}

impl Stream {
    pub(super) fn new(binding: Binding, campaign: Option<Sealable>) -> Self {
        Self {
            binding: Arc::new(binding),
            campaign,
            pages: BTreeMap::new(),
            next_page: 0,
            due: BTreeSet::new(),
            counts: Counts::default(),
            hold: None,
            breaker: Breaker::default(),
            begun_at: None,
            finished_at: None,
            keys: HashMap::new(),
        }
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.campaign
            .as_ref()
            .is_none_or(|campaign| campaign.sealed_at.is_some())
    }

    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.campaign
            .as_ref()
            .and_then(|campaign| campaign.spec.expires_at)
            .is_some_and(|at| at <= now)
    }

    /// Whether a delivery of it may start, as far as it alone decides.
    pub(super) fn may_start(&self, now: DateTime<Utc>) -> bool {
        self.is_sealed() && self.hold.is_none() && !self.has_expired(now)
    }

    pub(super) fn add_page(&mut self, page: Page) -> u32 {
        let number = self.next_page;
        self.next_page += 1;
        self.pages.insert(number, page);
        self.set_due(number);
        number
    }

    /// Puts a page where its deliveries' due times say, after they or its owner changed.
    pub(super) fn set_due(&mut self, number: u32) {
        let Some(page) = self.pages.get_mut(&number) else {
            return;
        };
        if let Some(listed) = page.listed.take() {
            self.due.remove(&(listed, number));
        }
        if page.owner.is_none() {
            page.listed = page.due();
            self.due.extend(page.listed.map(|due| (due, number)));
        }
    }

    /// When the stream has something to claim. `None`: at no known instant.
    pub(super) fn next_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.may_start(now) {
            return None;
        }
        let starts_at = self
            .campaign
            .as_ref()
            .and_then(|campaign| campaign.spec.starts_at);
        let due = self.due.first().map(|(due, _)| *due)?;
        Some(starts_at.map_or(due, |starts_at| due.max(starts_at)))
    }

    /// The relay's words about the recipient that is tried again at `due`.
    fn words_of_retry(&self, due: DateTime<Utc>) -> Option<String> {
        let (_, number) = self.due.first()?;
        let rows = &self.pages.get(number)?.rows;
        rows.values()
            .find(|row| row.due == Some(due))
            .map(|row| row.detail.clone())
            .filter(|words| !words.is_empty())
    }

    /// The scopes that can defer it, widest first.
    pub(super) fn scopes(&self) -> [Scope; 5] {
        [
            ScopeKind::Namespace,
            ScopeKind::Relay,
            ScopeKind::Sender,
            ScopeKind::Campaign,
            ScopeKind::Stream,
        ]
        .map(|kind| self.binding.scope(kind))
    }

    /// What the stream itself knows of it.
    pub(super) fn view(&self) -> View<'_> {
        let campaign = self.campaign.as_ref();
        let next_due = self.due.first().map(|(due, _)| *due);
        View {
            binding: &self.binding,
            spec: campaign.map(|campaign| &*campaign.spec),
            counts: self.counts,
            hold: self.hold.as_ref(),
            sealed_at: campaign.and_then(|campaign| campaign.sealed_at),
            begun_at: self.begun_at,
            finished_at: self.finished_at,
            next_due,
            retry_words: next_due.and_then(|due| self.words_of_retry(due)),
            deferral: None,
            unserved: None,
        }
    }

    /// Notes the end, once every delivery is final.
    pub(super) fn note_end(&mut self, now: DateTime<Utc>) {
        if self.view().is_over(now) {
            self.finished_at.get_or_insert(now);
        }
    }
}
