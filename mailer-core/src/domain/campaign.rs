//! A campaign: what is sent, through which relay, under which rules of its own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CampaignId, Content, Digest, Fault, Letter, Limit, OnUnknown, RelayName};
use crate::calendar::WorkCalendar;
use crate::template::Template;

/// A campaign as the host asks for it. Any text can be put in; `submit` names all faults at once.
///
/// ```
/// use mailer_core::domain::Campaign;
/// use mailer_core::template::Template;
///
/// let campaign = Campaign::new("spring-offer")
///     .from("Shop <news@shop.example>")
///     .template(Template::new("Spring").text("Dear {{ name }}, ..."));
/// assert!(campaign.check().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Campaign {
    id: String,
    content: Content,
    relay: String,
    weight: u32,
    starts_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    limits: Vec<Limit>,
    hours: Option<WorkCalendar>,
    on_unknown: OnUnknown,
}

/// A campaign that passed the door: what stores keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CampaignSpec {
    /// Its name.
    pub id: CampaignId,
    /// What it says.
    pub letter: Letter,
    /// The relay it goes through.
    pub relay: RelayName,
    /// Its share beside other campaigns: twice the weight, twice the mails.
    pub weight: u32,
    /// Nothing begins before.
    pub starts_at: Option<DateTime<Utc>>,
    /// Nothing begins from here on; what is pending then expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// Limits of its own, beside those of the policy.
    pub limits: Vec<Limit>,
    /// Hours of its own: it sends while both these and the policy's are open.
    pub hours: Option<WorkCalendar>,
    /// What becomes of a mail of which nobody knows whether it was sent.
    pub on_unknown: OnUnknown,
}

impl CampaignSpec {
    /// What the chain of digests over its pages starts with: equal digests mean equal campaigns.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

impl Campaign {
    /// A campaign named `id`. The name makes `submit` repeatable: the same name and content is sent once.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            content: Content::new(),
            relay: RelayName::DEFAULT.to_owned(),
            weight: 1,
            starts_at: None,
            expires_at: None,
            limits: Vec::new(),
            hours: None,
            on_unknown: OnUnknown::default(),
        }
    }

    /// The sender: `Shop <news@shop.example>` or a bare address.
    #[must_use]
    pub fn from(mut self, mailbox: impl Into<String>) -> Self {
        self.content = self.content.from(mailbox);
        self
    }

    /// Where answers go, if not to the sender.
    #[must_use]
    pub fn reply_to(mut self, mailbox: impl Into<String>) -> Self {
        self.content = self.content.reply_to(mailbox);
        self
    }

    /// Where bounces go, if not to the sender: a bare address.
    #[must_use]
    pub fn return_path(mut self, address: impl Into<String>) -> Self {
        self.content = self.content.return_path(address);
        self
    }

    /// Where bounces go: an address for each recipient, made of this one. See [`ReturnPath::Verp`](super::ReturnPath::Verp).
    #[must_use]
    pub fn verp(mut self, address: impl Into<String>) -> Self {
        self.content = self.content.verp(address);
        self
    }

    /// What it says, as a template.
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.content = self.content.template(template);
        self
    }

    /// The composer by its name, and its parameters.
    #[must_use]
    pub fn composer(mut self, name: impl Into<String>, params: Value) -> Self {
        self.content = self.content.composer(name, params);
        self
    }

    /// Sender and composer at once.
    #[must_use]
    pub fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// The relay it goes through; `default`, if not named.
    #[must_use]
    pub fn relay(mut self, name: impl Into<String>) -> Self {
        self.relay = name.into();
        self
    }

    /// Its share beside other campaigns, 1 to 1000; 1, if not given.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Nothing begins before `at`.
    #[must_use]
    pub fn starts_at(mut self, at: DateTime<Utc>) -> Self {
        self.starts_at = Some(at);
        self
    }

    /// Nothing begins from `at` on; who is pending then is counted as expired.
    #[must_use]
    pub fn expires_at(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Adds a limit of its own. It can narrow the policy, never widen it.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    /// Hours of its own. It sends while both these and the policy's are open.
    #[must_use]
    pub fn hours(mut self, hours: WorkCalendar) -> Self {
        self.hours = Some(hours);
        self
    }

    /// What becomes of a mail of which nobody knows whether it was sent.
    #[must_use]
    pub fn on_unknown(mut self, rule: OnUnknown) -> Self {
        self.on_unknown = rule;
        self
    }

    /// Parses it.
    ///
    /// # Errors
    /// Every fault of it at once.
    pub fn check(&self) -> Result<CampaignSpec, Vec<Fault>> {
        let mut faults = Vec::new();
        let letter = self
            .content
            .check()
            .map_err(|more| faults.extend(more))
            .ok();
        let id = self
            .id
            .parse::<CampaignId>()
            .map_err(|error| faults.push(error.into()))
            .ok();
        let relay = self
            .relay
            .parse::<RelayName>()
            .map_err(|error| faults.push(Fault::new("relay", &self.relay, error.to_string())))
            .ok();
        if !(1..=1000).contains(&self.weight) {
            faults.push(Fault::new(
                "weight",
                self.weight.to_string(),
                "a weight is 1 to 1000",
            ));
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.expires_at)
            && start >= end
        {
            faults.push(Fault::new(
                "expires_at",
                end.to_rfc3339(),
                format!("it must be later than starts_at, {}", start.to_rfc3339()),
            ));
        }
        match (letter, id, relay) {
            (Some(letter), Some(id), Some(relay)) if faults.is_empty() => Ok(CampaignSpec {
                id,
                letter,
                relay,
                weight: self.weight,
                starts_at: self.starts_at,
                expires_at: self.expires_at,
                limits: self.limits.clone(),
                hours: self.hours.clone(),
                on_unknown: self.on_unknown,
            }),
            _ => Err(faults),
        }
    }
}
