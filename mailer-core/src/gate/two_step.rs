//! A gate made of any limiter and any queue.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::group::{Group, groups_of};
use super::hands::{Hands, Token};
use super::{BeginBatch, BeginItem, BeginReply, Binding, Gate, Scarce, StartVerdict, Verdict};
use crate::Error;
use crate::calendar::NoOpening;
use crate::domain::{Deferral, HaltCause, Reason, ScopeKind, StoredPolicy};
use crate::limiter::{Demand, RateLimiter};
use crate::policy_store::PolicyStore;
use crate::queue::{Defer, DeferQueue, Halt, Wait};
use crate::schedule::refusal;
use crate::schedule::term::SHORT_WAIT;

/// A gate over a limiter and a queue that know nothing of each other: reserve, start, refund what did not start.
///
/// It is to be used as the queue as well: `settle` passes through it, so that the token of a mail that never reached
/// `MAIL FROM` finds its way back to the limiter. Clones share which tokens are in hand.
///
/// It keeps every promise of a [`Gate`]. What it cannot do in one step it does in an order that errs low: a process that
/// dies between the steps has taken tokens that nobody uses. Where hours or limits refuse, it does not ask whether the
/// claim is still valid; deliveries that one binding binds are served together; a lost *refusal* that is asked for again
/// is decided anew; and it does not tell what limits have left, which a limiter that gives all it was asked for keeps to
/// itself.
///
/// ```
/// use std::sync::Arc;
/// use mailer_core::gate::TwoStep;
/// use mailer_core::memory::MemoryStore;
///
/// let (limiter, store) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
/// let gate = TwoStep::new(limiter, store.clone(), store);
/// # let _ = gate;
/// ```
#[derive(Clone)]
pub struct TwoStep {
    limiter: Arc<dyn RateLimiter>,
    pub(super) queue: Arc<dyn DeferQueue>,
    policy: Arc<dyn PolicyStore>,
    pub(super) hands: Arc<Hands>,
}

impl TwoStep {
    /// Puts a gate together. `policy` is the one that `queue` obeys.
    pub fn new(
        limiter: Arc<dyn RateLimiter>,
        queue: Arc<dyn DeferQueue>,
        policy: Arc<dyn PolicyStore>,
    ) -> Self {
        Self {
            limiter,
            queue,
            policy,
            hands: Arc::default(),
        }
    }

    /// Those who may have been started by this very call before: the queue knows.
    async fn repeat(
        &self,
        batch: &BeginBatch,
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), Error> {
        let known: Vec<(usize, Token)> = (0..)
            .zip(&batch.items)
            .filter_map(|(place, item)| Some((place, self.hands.of(item)?)))
            .collect();
        let places: Vec<usize> = known.iter().map(|(place, _)| *place).collect();
        let started = self.start(batch, &places).await?;
        for ((place, token), started) in known.into_iter().zip(started) {
            let item = &batch.items[place];
            if !started.is_started() {
                self.hands.give_back(item.claim, item.index);
            }
            verdicts[place] = Some(verdict(started, token.send_by));
        }
        Ok(())
    }

    /// Hours and policy go before limits.
    async fn permitted(
        &self,
        binding: &Binding,
        stored: &StoredPolicy,
        now: DateTime<Utc>,
    ) -> Result<Option<Verdict>, Error> {
        match refusal::of_hours(binding, &stored.policy, now) {
            Ok(None) => Ok(None),
            Ok(Some(deferral)) => self.defer(stored, deferral, now).await.map(Some),
            Err(never) => self.never_opens(binding, never).await.map(Some),
        }
    }

    async fn reserve(
        &self,
        groups: &mut [Group<'_>],
        stored: &StoredPolicy,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let demands: Vec<Demand> = groups
            .iter()
            .map(|group| Demand {
                id: group.reservation.clone(),
                lane: group.binding.lane,
                n: u32::try_from(group.waiting.len()).unwrap_or(u32::MAX),
                limits: group
                    .binding
                    .limits(stored, now)
                    .map(|(limit, scope)| (limit.clone(), scope))
                    .collect(),
                reserved_percent: stored.policy.reserved_percent(),
            })
            .collect();
        let grants = self.limiter.reserve(&demands).await?;
        for (group, grant) in groups.iter_mut().zip(grants) {
            group.take(grant, stored, now);
            group.tokens = group
                .tokens
                .saturating_sub(self.hands.gone(&group.reservation));
        }
        Ok(())
    }

    /// Starts as many as there are tokens for. A token whose delivery cannot start goes to the next in line.
    async fn begin_groups(
        &self,
        batch: &BeginBatch,
        groups: &mut [Group<'_>],
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), Error> {
        loop {
            let mut tried: Vec<(usize, usize)> = Vec::new();
            for (number, group) in groups.iter_mut().enumerate() {
                let count = group.waiting.len().min(group.tokens as usize);
                tried.extend(group.waiting.drain(..count).map(|place| (place, number)));
            }
            if tried.is_empty() {
                return Ok(());
            }
            // In the order of the batch, whatever binds them.
            tried.sort_unstable();
            // Held before it is asked for: if this call is dropped half-way, its repetition finds the token.
            let before: Vec<Option<Token>> = tried
                .iter()
                .map(|(place, number)| {
                    let item = &batch.items[*place];
                    self.hands.take(item, groups[*number].token(item.call))
                })
                .collect();
            let places: Vec<usize> = tried.iter().map(|(place, _)| *place).collect();
            let started = self.start(batch, &places).await?;
            let tried = tried.into_iter().zip(before);
            for (((place, number), before), started) in tried.zip(started) {
                let (group, item) = (&mut groups[number], &batch.items[place]);
                if started.is_started() {
                    group.tokens -= 1;
                } else {
                    self.hands.put_back(item, before);
                }
                verdicts[place] = Some(verdict(started, group.send_by));
            }
        }
    }

    async fn start(
        &self,
        batch: &BeginBatch,
        places: &[usize],
    ) -> Result<Vec<StartVerdict>, Error> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let items: Vec<BeginItem> = places
            .iter()
            .map(|place| batch.items[*place].clone())
            .collect();
        let policy_version = batch.policy_version;
        self.queue
            .start(&BeginBatch {
                policy_version,
                items,
            })
            .await
    }

    /// A short wait is the worker's; a longer one closes the scope.
    async fn defer(
        &self,
        stored: &StoredPolicy,
        deferral: Deferral,
        now: DateTime<Utc>,
    ) -> Result<Verdict, Error> {
        if deferral.until.is_some_and(|until| until - now < SHORT_WAIT) {
            return Ok(Verdict::Limited(Box::new(deferral)));
        }
        let defer = Defer {
            scope: deferral.scope,
            lane: deferral.lane,
            reason: deferral.reason,
            wait: deferral.until.map_or(Wait::Open, Wait::Until),
            detail: deferral.detail,
            unless_sent_since: None,
            policy_version: Some(stored.version),
        };
        let held = self.queue.defer(&defer).await?;
        Ok(held.map_or(Verdict::PolicyChanged, |held| {
            Verdict::Limited(Box::new(held))
        }))
    }

    /// Hours that never open: a campaign halts, single mails wait for another policy.
    async fn never_opens(&self, binding: &Binding, never: NoOpening) -> Result<Verdict, Error> {
        if binding.stream.campaign().is_none() {
            let defer = Defer {
                scope: binding.scope(ScopeKind::Campaign),
                lane: None,
                reason: Reason::OutsideHours,
                wait: Wait::Open,
                detail: Some(never.to_string()),
                unless_sent_since: None,
                policy_version: None,
            };
            self.queue.defer(&defer).await?;
        } else {
            let halt = Halt {
                stream: binding.stream.clone(),
                cause: HaltCause::NoOpening,
                detail: never.to_string(),
                unless_sent_since: None,
            };
            self.queue.halt(&halt).await?;
        }
        Ok(Verdict::Held)
    }

    /// Tells the limiter which tokens nobody uses. What it cannot be told now is told with the next call.
    pub(super) async fn give_back(&self, now: DateTime<Utc>) {
        for (reservation, tokens) in self.hands.untold() {
            if self.limiter.refund(&reservation, tokens).await.is_ok() {
                self.hands.told(&reservation, tokens);
            }
        }
        self.hands.sweep(now);
    }

    /// The queue's clock.
    async fn now(&self) -> Result<DateTime<Utc>, Error> {
        Ok(self.queue.settle(&[], &[]).await?.server_now)
    }
}

#[async_trait]
impl Gate for TwoStep {
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error> {
        let now = self.now().await?;
        self.give_back(now).await;
        let stored = self.policy.policy().await?;
        let mut verdicts: Vec<Option<Verdict>> = vec![None; batch.items.len()];
        self.repeat(batch, &mut verdicts).await?;
        let mut groups = groups_of(batch, &verdicts);
        match &stored {
            Some(stored) if stored.version == batch.policy_version => {
                let mut open = Vec::new();
                for group in groups {
                    match self.permitted(group.binding, stored, now).await? {
                        None => open.push(group),
                        Some(verdict) => group.all(&verdict, &mut verdicts),
                    }
                }
                if !open.is_empty() {
                    self.reserve(&mut open, stored, now).await?;
                }
                self.begin_groups(batch, &mut open, &mut verdicts).await?;
                for group in open {
                    self.hands.give_back_rest(&group.token(0), group.tokens);
                    if group.waiting.is_empty() {
                        continue;
                    }
                    let refused = group.refused(stored, now);
                    let verdict = match refused {
                        Ok(deferral) => self.defer(stored, deferral, now).await?,
                        Err(never) => self.never_opens(group.binding, never).await?,
                    };
                    group.all(&verdict, &mut verdicts);
                }
                self.give_back(now).await;
            }
            Some(_) => {
                for group in groups {
                    group.all(&Verdict::PolicyChanged, &mut verdicts);
                }
            }
            None => {
                for group in &mut groups {
                    // Nothing starts without a policy; the queue says who could not have started anyway.
                    let places: Vec<usize> = group.waiting.drain(..).collect();
                    let started = self.start(batch, &places).await?;
                    for (place, started) in places.into_iter().zip(started) {
                        verdicts[place] = Some(match verdict(started, now) {
                            Verdict::Held => Verdict::Held,
                            Verdict::Stale => Verdict::Stale,
                            _ => Verdict::Limited(Box::new(refusal::no_policy(None, now))),
                        });
                    }
                }
            }
        }
        Ok(BeginReply {
            verdicts: verdicts
                .into_iter()
                .map(|verdict| verdict.unwrap_or(Verdict::Stale))
                .collect(),
            scarce: Scarce::default(),
            // Where there is none, only the queue knows how far versions have come: a lower one would look like lost data.
            policy_version: stored.map_or(batch.policy_version, |stored| stored.version),
            server_now: now,
        })
    }
}

impl fmt::Debug for TwoStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoStep")
            .field("limiter", &self.limiter)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

fn verdict(started: StartVerdict, send_by: DateTime<Utc>) -> Verdict {
    match started {
        StartVerdict::Started { dot_by } | StartVerdict::Repeated { dot_by } => {
            Verdict::Go { send_by, dot_by }
        }
        StartVerdict::Held => Verdict::Held,
        StartVerdict::PolicyChanged => Verdict::PolicyChanged,
        StartVerdict::Stale => Verdict::Stale,
    }
}
