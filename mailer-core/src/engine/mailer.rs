//! The host's side: submit, enqueue, ask, steer.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;

use super::poke::Pokes;
use super::submit::Submission;
use super::{Dedupe, Inspection, Rejected, Submitted, Ticket, Watch};
use crate::composer::Composer;
use crate::domain::{
    Campaign, CampaignId, Content, Fault, Lane, Letter, Limit, Message, Recipient, Scope, Status,
};
use crate::limiter::Usage;
use crate::queue::{Delivery, DeliveryQuery, StreamId, TicketState};
use crate::template::TemplateComposer;
use crate::{Error, Store};

/// The host's handle on a store. Clones share it; any process may have one.
///
/// ```
/// use mailer_core::domain::{Campaign, Policy, Recipient};
/// use mailer_core::memory::MemoryStore;
/// use mailer_core::template::Template;
/// use mailer_core::Mailer;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mailer = Mailer::open(MemoryStore::new()).await?;
/// mailer.init_policy(&Policy::unlimited()).await?;
/// let spring = Campaign::new("spring-offer")
///     .from("Shop <news@shop.example>")
///     .template(Template::new("Hello {{ name }}").text("Dear {{ name }}, ..."));
/// let submitted = mailer.submit(&spring, [Recipient::new("ann@example.com").field("name", "Ann")]).await?;
/// println!("{}", mailer.status(&submitted.id).await?); // spring-offer: deferred: no_worker, 0 of 1 sent
/// # Ok::<(), mailer_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Mailer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    composers: BTreeMap<String, Arc<dyn Composer>>,
    /// Tells the workers of this process that something has changed.
    pokes: Arc<Pokes>,
    /// Tells this process from others that load.
    process: u64,
}

impl Mailer {
    /// Opens a store, with the template composer.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// Nothing is left behind when it is dropped.
    pub async fn open(store: impl Into<Store>) -> Result<Self, Error> {
        Self::open_with(store, Vec::new()).await
    }

    /// Opens a store, with further composers.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// Nothing is left behind when it is dropped.
    pub async fn open_with(
        store: impl Into<Store>,
        composers: Vec<Arc<dyn Composer>>,
    ) -> Result<Self, Error> {
        let store = store.into();
        store.policy.policy().await?;
        let template: Arc<dyn Composer> = Arc::new(TemplateComposer::new());
        let composers = std::iter::once(template)
            .chain(composers)
            .map(|composer| (composer.name().to_owned(), composer))
            .collect();
        Ok(Self(Arc::new(Inner {
            store,
            composers,
            pokes: Arc::default(),
            process: fastrand::u64(..),
        })))
    }

    /// Stores a campaign. Rows that are not taken are reported, the rest is sent. The same campaign with the same
    /// recipients again sends nothing again.
    ///
    /// # Errors
    /// `Invalid`: faults of the campaign itself, all at once, or nobody left to send to. `Conflict`: the id exists with
    /// other content or recipients. Or the store cannot be reached. After an error nothing is sent; the same call goes on.
    ///
    /// # Cancel safety
    /// Dropped, it leaves a draft that sends nothing; the same call goes on with it.
    pub async fn submit<R>(&self, campaign: &Campaign, recipients: R) -> Result<Submitted, Error>
    where
        R: IntoIterator<Item = Recipient>,
        R::IntoIter: Send,
    {
        self.submit_stream(
            campaign,
            stream::iter(recipients.into_iter().map(Ok::<_, Infallible>)),
            Dedupe::default(),
            |_| {},
        )
        .await
    }

    /// The same from a stream of any length, page by page; `on_rejected` is called for every row that is not taken.
    ///
    /// # Errors
    /// As [`submit`](Self::submit). `Source`: the stream failed; what is stored by then is a draft, and sends nothing.
    ///
    /// # Cancel safety
    /// As [`submit`](Self::submit).
    pub async fn submit_stream<E>(
        &self,
        campaign: &Campaign,
        recipients: impl Stream<Item = Result<Recipient, E>> + Send,
        dedupe: Dedupe,
        on_rejected: impl FnMut(&Rejected) + Send,
    ) -> Result<Submitted, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        Submission::new(self, campaign, dedupe)?
            .load(recipients, on_rejected)
            .await
    }

    /// Looks at recipients as [`submit`](Self::submit) would, and stores nothing: for hosts that want a clean list or none.
    ///
    /// ```
    /// # use mailer_core::domain::{Campaign, Recipient};
    /// # use mailer_core::memory::MemoryStore;
    /// # use mailer_core::template::Template;
    /// # use mailer_core::{Dedupe, Mailer};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let mailer = Mailer::open(MemoryStore::new()).await?;
    /// let spring = Campaign::new("spring").from("news@shop.example").template(Template::new("Hi").text("Hi"));
    /// let mut inspection = mailer.inspect(&spring, Dedupe::default())?;
    /// assert!(inspection.look_at(Recipient::new("ann@example.com"))?.is_ok());
    /// assert!(inspection.look_at(Recipient::new("ann@example.com"))?.is_err()); // she stands there before
    /// # Ok::<(), mailer_core::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `Invalid`: faults of the campaign itself, all at once.
    pub fn inspect(&self, campaign: &Campaign, dedupe: Dedupe) -> Result<Inspection<'_>, Error> {
        Ok(Submission::new(self, campaign, dedupe)?.inspect())
    }

    /// Enqueues a single mail. The same key again is sent once.
    ///
    /// # Errors
    /// `Invalid`: all faults at once. Or the store cannot be reached.
    ///
    /// # Cancel safety
    /// Dropped, it may have been enqueued; the same call enqueues it once.
    pub async fn enqueue(&self, message: &Message) -> Result<Ticket, Error> {
        let spec = message
            .check()
            .map_err(|faults| Error::invalid("enqueue", faults))?;
        let required = self
            .required_fields(&spec.letter)
            .map_err(|faults| Error::invalid("enqueue", faults))?;
        let missing: Vec<Fault> = required
            .into_iter()
            .filter(|field| spec.to.field(field).is_none())
            .map(|field| {
                Fault::new(
                    field,
                    "",
                    "the template uses this field, and the recipient has none",
                )
            })
            .collect();
        if !missing.is_empty() {
            return Err(Error::invalid("enqueue", missing));
        }
        self.store().intake.enqueue(&spec).await?;
        self.poke();
        Ok(Ticket {
            stream: StreamId::standing(&spec),
            key: spec.key,
        })
    }

    /// Enqueues a test mail: through the queue, the limits and the ledger like any other, in the lane that goes first.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    ///
    /// # Cancel safety
    /// As [`enqueue`](Self::enqueue), but for the key: a repeated call sends a second test mail.
    pub async fn enqueue_test(
        &self,
        content: &Content,
        recipient: Recipient,
    ) -> Result<Ticket, Error> {
        let key = format!("test-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let message = Message::new(key, content.clone(), recipient).lane(Lane::Test);
        self.enqueue(&message).await
    }

    /// Where the mail of a ticket stands.
    ///
    /// # Errors
    /// `NotFound`, a day after it became final; or the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn ticket(&self, ticket: &Ticket) -> Result<TicketState, Error> {
        self.store()
            .intake
            .ticket(&ticket.stream, &ticket.key)
            .await
    }

    /// Waits for the mail of a ticket to become final, at most for `at_most`; then where it stands.
    ///
    /// # Errors
    /// As [`ticket`](Self::ticket).
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn wait(&self, ticket: &Ticket, at_most: Duration) -> Result<TicketState, Error> {
        let clock = &self.store().clock;
        let _hold = clock.hold();
        let until = clock.monotonic().saturating_add(at_most);
        loop {
            let state = self.ticket(ticket).await?;
            let left = until.saturating_sub(clock.monotonic());
            if matches!(state, TicketState::Done(_)) || left.is_zero() {
                return Ok(state);
            }
            clock.sleep(left.min(Duration::from_millis(50))).await;
        }
    }

    /// What a campaign is doing, why it waits, and when it goes on.
    ///
    /// # Errors
    /// `NotFound`, or the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn status(&self, campaign: &CampaignId) -> Result<Status, Error> {
        self.store().ledger.status(campaign).await
    }

    /// All campaigns, those submitted first first.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn list(&self) -> Result<Vec<Status>, Error> {
        self.store().ledger.list().await
    }

    /// Follows a campaign: looks every `every`, and yields its status when it has changed.
    #[must_use]
    pub fn watch(&self, campaign: &CampaignId, every: Duration) -> Watch {
        Watch::new(self.clone(), campaign.clone(), every)
    }

    /// A page of deliveries with their states, in the order of loading; empty after the last page.
    ///
    /// # Errors
    /// `NotFound`, or the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn outcomes(&self, campaign: &CampaignId, page: u64) -> Result<Vec<Delivery>, Error> {
        let campaign = campaign.clone();
        self.store()
            .ledger
            .outcomes(&DeliveryQuery { campaign, page })
            .await
    }

    /// How much of limits is used. Nothing may be decided on it.
    ///
    /// # Errors
    /// If the store cannot be reached.
    ///
    /// # Cancel safety
    /// It reads only.
    pub async fn usage(&self, limits: &[(Limit, Scope)]) -> Result<Vec<Usage>, Error> {
        self.store().limiter.usage(limits).await
    }

    /// The merge fields that every recipient of this content must have. A composer that this process does not have asks
    /// for none here.
    pub(super) fn required_fields(&self, letter: &Letter) -> Result<Vec<String>, Vec<Fault>> {
        match self.0.composers.get(&letter.composer) {
            Some(composer) => Ok(composer.required_fields(letter)?.into_iter().collect()),
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// What is wrong with the store's server, though it works: that it does not keep what it confirms, say.
    #[must_use]
    pub fn store_warnings(&self) -> &[String] {
        &self.0.store.warnings
    }

    pub(super) fn namespace(&self) -> &str {
        &self.0.store.namespace
    }

    pub(super) fn composers(&self) -> &BTreeMap<String, Arc<dyn Composer>> {
        &self.0.composers
    }

    pub(super) fn pokes(&self) -> Arc<Pokes> {
        Arc::clone(&self.0.pokes)
    }

    pub(super) fn process(&self) -> u64 {
        self.0.process
    }

    pub(super) fn poke(&self) {
        self.0.pokes.poke(&self.0.store.clock);
    }
}
