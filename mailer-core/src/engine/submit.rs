//! The door for campaigns: recipients checked, deduplicated and stored page by page.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use futures_core::Stream;
use futures_util::StreamExt as _;

use super::Mailer;
use crate::Error;
use crate::domain::{
    Campaign, CampaignId, CampaignSpec, Digest, Fault, PAGE_SIZE, Recipient, Record, encode_page,
};
use crate::queue::{Created, Load};

/// How many refused rows a [`Submitted`] names.
const NAMED: usize = 20;

/// What became of a `submit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Submitted {
    /// The campaign.
    pub id: CampaignId,
    /// How many recipients it has.
    pub accepted: u64,
    /// How many rows were not taken.
    pub rejected: u64,
    /// The first of them, at most 20.
    pub first_rejected: Vec<Rejected>,
    /// Whether it was submitted before, with the same content and recipients: then nothing is sent again.
    pub repeated: bool,
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// Its place in the source, from 1.
    pub row: u64,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// How recipients that stand twice in the source are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dedupe {
    /// Exactly, up to this many recipients, at about 17 to 35 octets of memory each while loading. More are an error.
    Exact(usize),
    /// Not at all: the caller knows that no key stands twice.
    Trusted,
}

impl Default for Dedupe {
    /// Exact, up to two million recipients.
    fn default() -> Self {
        Self::Exact(2_000_000)
    }
}

/// Looks at recipients as `submit` would, and stores nothing. Made by [`Mailer::inspect`].
#[derive(Debug)]
pub struct Inspection<'a>(Submission<'a>);

impl Inspection<'_> {
    /// Whether `submit` would take this recipient after those looked at before, or every fault of it.
    ///
    /// # Errors
    /// `Invalid`: more recipients than the bound of [`Dedupe::Exact`].
    pub fn look_at(&mut self, recipient: Recipient) -> Result<Result<(), Vec<Fault>>, Error> {
        Ok(self.0.admit(recipient)?.map(drop))
    }
}

/// Loads one campaign.
#[derive(Debug)]
pub(super) struct Submission<'a> {
    mailer: &'a Mailer,
    spec: CampaignSpec,
    required: Vec<String>,
    dedupe: Dedupe,
    seen: HashSet<u128>,
    hashers: [RandomState; 2],
    accepted: u64,
    rejected: u64,
    first_rejected: Vec<Rejected>,
}

impl<'a> Submission<'a> {
    pub(super) fn new(
        mailer: &'a Mailer,
        campaign: &Campaign,
        dedupe: Dedupe,
    ) -> Result<Self, Error> {
        let spec = campaign
            .check()
            .map_err(|faults| Error::invalid("submit", faults))?;
        let required = mailer
            .required_fields(&spec.letter)
            .map_err(|faults| Error::invalid("submit", faults))?;
        Ok(Self {
            mailer,
            spec,
            required,
            dedupe,
            seen: HashSet::new(),
            hashers: [RandomState::new(), RandomState::new()],
            accepted: 0,
            rejected: 0,
            first_rejected: Vec::new(),
        })
    }

    pub(super) fn inspect(self) -> Inspection<'a> {
        Inspection(self)
    }

    pub(super) async fn load<E>(
        mut self,
        recipients: impl Stream<Item = Result<Recipient, E>> + Send,
        mut on_rejected: impl FnMut(&Rejected) + Send,
    ) -> Result<Submitted, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        let intake = &self.mailer.store().intake;
        let loader = self.mailer.process();
        let stored = match intake.create(&self.spec, loader).await? {
            Created::Purged(tombstone) => Stored::Before(tombstone.digest),
            Created::Sealed { digest, .. } => Stored::Before(digest),
            Created::Loading(loading) => Stored::Partly(loading.load),
        };
        let mut chain = Chain {
            stored,
            here: Load {
                campaign: self.spec.id.clone(),
                loader,
                pages: 0,
                digest: self.spec.digest(),
            },
        };
        let mut recipients = std::pin::pin!(recipients);
        let mut page = Vec::with_capacity(PAGE_SIZE);
        let mut row = 0;
        while let Some(recipient) = recipients.next().await {
            let recipient = recipient.map_err(|error| {
                let detail = format!("the source of recipients failed after row {row}");
                Error::source_failed("submit", detail, error)
            })?;
            row += 1;
            match self.admit(recipient)? {
                Ok(record) => page.push(record),
                Err(faults) => {
                    let rejected = Rejected { row, faults };
                    on_rejected(&rejected);
                    self.rejected += 1;
                    if self.first_rejected.len() < NAMED {
                        self.first_rejected.push(rejected);
                    }
                }
            }
            if page.len() == PAGE_SIZE {
                chain.add(self.mailer, &page).await?;
                page.clear();
            }
        }
        if !page.is_empty() {
            chain.add(self.mailer, &page).await?;
        }
        if self.accepted == 0 {
            return Err(self.nobody());
        }
        let repeated = chain.close(self.mailer).await?;
        self.mailer.poke();
        Ok(Submitted {
            id: self.spec.id,
            accepted: self.accepted,
            rejected: self.rejected,
            first_rejected: self.first_rejected,
            repeated,
        })
    }

    fn admit(&mut self, recipient: Recipient) -> Result<Result<Record, Vec<Fault>>, Error> {
        let record = match recipient.check() {
            Ok(record) => record,
            Err(faults) => return Ok(Err(faults)),
        };
        let missing: Vec<Fault> = self
            .required
            .iter()
            .filter(|field| record.field(field).is_none())
            .map(|field| {
                Fault::new(
                    field.clone(),
                    "",
                    "the template uses this field, and the recipient has none",
                )
            })
            .collect();
        if !missing.is_empty() {
            return Ok(Err(missing));
        }
        if let Dedupe::Exact(at_most) = self.dedupe {
            let [high, low] = &self.hashers;
            let hash = u128::from(high.hash_one(record.key())) << 64
                | u128::from(low.hash_one(record.key()));
            if !self.seen.insert(hash) {
                let fault = Fault::new(
                    "key",
                    record.key(),
                    "this recipient stands in the source before",
                );
                return Ok(Err(vec![fault]));
            }
            if self.seen.len() > at_most {
                let fault = Fault::new(
                    "recipients",
                    format!("more than {at_most}"),
                    "so many are not searched for doubles: raise the bound of Dedupe::Exact, or use Dedupe::Trusted",
                );
                return Err(Error::invalid("submit", vec![fault]));
            }
        }
        self.accepted += 1;
        Ok(Ok(record))
    }

    fn nobody(self) -> Error {
        let mut faults = vec![Fault::new("recipients", "", "nobody is left to send to")];
        faults.extend(
            self.first_rejected
                .into_iter()
                .flat_map(|rejected| rejected.faults),
        );
        Error::invalid("submit", faults)
    }
}

/// What the store has of the campaign already.
enum Stored {
    /// All of it, with this digest.
    Before(Digest),
    /// Pages up to this state of loading.
    Partly(Load),
}

/// The chain of pages as it is read here, beside the one that is stored.
struct Chain {
    stored: Stored,
    here: Load,
}

impl Chain {
    async fn add(&mut self, mailer: &Mailer, page: &[Record]) -> Result<(), Error> {
        let next = Load {
            pages: self.here.pages + 1,
            digest: self.here.digest.then(encode_page(page).as_bytes()),
            ..self.here.clone()
        };
        match &self.stored {
            Stored::Before(_) => self.here = next,
            // Pages that are stored already are only compared.
            Stored::Partly(stored) if self.here.pages < stored.pages => {
                if next.pages == stored.pages && next.digest != stored.digest {
                    return Err(self.other_recipients());
                }
                self.here = next;
            }
            Stored::Partly(_) => self.here = mailer.store().intake.append(&self.here, page).await?,
        }
        Ok(())
    }

    /// Says whether it was all there before.
    async fn close(self, mailer: &Mailer) -> Result<bool, Error> {
        match &self.stored {
            Stored::Before(digest) if *digest == self.here.digest => Ok(true),
            Stored::Partly(stored) if self.here.pages >= stored.pages => {
                mailer.store().intake.seal(&self.here).await?;
                Ok(false)
            }
            Stored::Before(_) | Stored::Partly(_) => Err(self.other_recipients()),
        }
    }

    fn other_recipients(&self) -> Error {
        Error::conflict(
            "submit",
            format!(
                "campaign {:?} exists already with other recipients: choose another id",
                self.here.campaign.as_str()
            ),
        )
    }
}
