//! What is known of streams, and what it means.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::domain::{Counts, Deferral, Status, StoredPolicy, WorkerId};
use mailer_core::queue::{Hold, Room, StreamId, Tick};
use mailer_core::schedule::{View, unserved};

use super::Worker;
use crate::args::Args;
use crate::deferral::decode_slot;
use crate::micros::Micros;
use crate::queue::Present;
use crate::reply::Reply;
use crate::script::SHOW;
use crate::store::RedisStore;
use crate::streams::Known;

/// Streams at one instant.
pub(super) struct Shown {
    pub(super) now: DateTime<Utc>,
    pub(super) policy: Option<Arc<StoredPolicy>>,
    pub(super) workers: Vec<Worker>,
    streams: HashMap<StreamId, Facts>,
}

/// A stream at that instant, and what it is.
pub(super) struct Stream<'a> {
    facts: &'a Facts,
    known: Arc<Known>,
}

struct Facts {
    number: u64,
    hold: Option<Hold>,
    counts: Counts,
    sealed_at: Option<DateTime<Utc>>,
    begun_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    next_due: Option<DateTime<Utc>>,
    retry_words: Option<String>,
    deferral: Option<Deferral>,
}

impl RedisStore {
    pub(super) async fn show(&self, op: &'static str, ids: &[StreamId]) -> Result<Shown, Error> {
        let mut args = Args::new();
        args.len(ids.len());
        for id in ids {
            args.text(id.as_str());
        }
        let mut answer = self.caller().call(op, &SHOW, &args).await?;
        let now = answer.now.into();
        let reply = &mut answer.reply;
        let _version: u64 = reply.count()?;
        let policy = match reply.text()?.as_str() {
            "" => None,
            text => Some(Arc::new(serde_json::from_str(text).map_err(|error| {
                Error::incompatible(op, format!("the stored policy: {error}"))
            })?)),
        };
        let workers = read_workers(reply.list()?, now)?;
        let mut streams = HashMap::new();
        for id in ids {
            let mut facts = reply.list()?;
            if !facts.is_empty() {
                streams.insert(id.clone(), read_facts(&mut facts)?);
            }
        }
        Ok(Shown {
            now,
            policy,
            workers,
            streams,
        })
    }

    /// The stream as it was shown; none if it has gone since.
    pub(super) async fn known<'a>(
        &self,
        op: &'static str,
        id: &StreamId,
        shown: &'a Shown,
    ) -> Result<Option<Stream<'a>>, Error> {
        let known = self.known_all(op, std::slice::from_ref(id), shown).await?;
        Ok(known.into_iter().next())
    }

    /// Those of the streams that have not gone since.
    pub(super) async fn known_all<'a>(
        &self,
        op: &'static str,
        ids: &[StreamId],
        shown: &'a Shown,
    ) -> Result<Vec<Stream<'a>>, Error> {
        let facts: Vec<(StreamId, &Facts)> = ids
            .iter()
            .filter_map(|id| Some((id.clone(), shown.streams.get(id)?)))
            .collect();
        let wanted = facts.iter().map(|(id, facts)| (id.clone(), facts.number));
        let known = self
            .streams()
            .get_all(self.caller(), op, wanted.collect())
            .await?;
        let pairs = facts.into_iter().zip(known);
        Ok(pairs
            .filter_map(|((_, facts), known)| {
                Some(Stream {
                    facts,
                    known: known?,
                })
            })
            .collect())
    }
}

impl Shown {
    pub(super) fn view<'a>(&self, stream: &'a Stream<'_>) -> View<'a> {
        let (facts, known) = (stream.facts, &stream.known);
        let spec = known.campaign.as_ref().map(|(spec, _)| spec);
        let workers = self.workers.iter().map(|(_, _, tick)| tick);
        let composer = spec.map(|spec| spec.letter.composer.as_str());
        View {
            binding: &known.binding,
            spec,
            counts: facts.counts,
            hold: facts.hold.as_ref(),
            sealed_at: facts.sealed_at,
            begun_at: facts.begun_at,
            finished_at: facts.finished_at,
            next_due: facts.next_due,
            retry_words: facts.retry_words.clone(),
            deferral: facts.deferral.clone(),
            unserved: unserved(workers, &known.binding, composer),
        }
    }

    pub(super) fn status(&self, stream: &Stream<'_>) -> Option<Status> {
        self.view(stream).status(self.policy.as_deref(), self.now)
    }
}

fn read_workers(mut reply: Reply, now: DateTime<Utc>) -> Result<Vec<Worker>, Error> {
    let mut workers = Vec::new();
    while !reply.is_empty() {
        let (name, said) = (reply.text()?, reply.text()?);
        let wrong = || Error::incompatible("workers", format!("worker {name}: {said:?}"));
        let worker = WorkerId(u64::from_str_radix(&name, 16).map_err(|_| wrong())?);
        let (until, present) = said.split_once(' ').ok_or_else(wrong)?;
        let until: DateTime<Utc> = Micros::new(until.parse().map_err(|_| wrong())?).into();
        let present: Present = serde_json::from_str(present).map_err(|_| wrong())?;
        if until > now {
            workers.push((worker, until, tick_of(worker, present)));
        }
    }
    workers.sort_unstable_by_key(|(worker, ..)| *worker);
    Ok(workers)
}

fn tick_of(worker: WorkerId, present: Present) -> Tick {
    Tick {
        worker,
        relays: present.relays,
        composers: present.composers,
        room: Room::default(),
        claims: Vec::new(),
        next_within: Duration::ZERO,
        present: true,
    }
}

fn read_facts(reply: &mut Reply) -> Result<Facts, Error> {
    let number = reply.count()?;
    let hold = match reply.text()?.as_str() {
        "" => None,
        text => Some(serde_json::from_str(text).map_err(|error| {
            Error::incompatible("status", format!("the hold {text:?}: {error}"))
        })?),
    };
    let mut counts = reply.list()?;
    let counts = Counts {
        total: counts.count()?,
        pending: counts.count()?,
        in_flight: counts.count()?,
        sent: counts.count()?,
        failed: counts.count()?,
        retrying: counts.count()?,
        unknown: counts.count()?,
        suppressed: counts.count()?,
        skipped: counts.count()?,
        expired: counts.count()?,
        cancelled: 0,
    };
    let mut instant = || Ok::<_, Error>(reply.at_or_none()?.map(DateTime::<Utc>::from));
    Ok(Facts {
        number,
        hold,
        counts,
        sealed_at: instant()?,
        begun_at: instant()?,
        finished_at: instant()?,
        next_due: instant()?,
        retry_words: Some(reply.text()?).filter(|words| !words.is_empty()),
        deferral: read_waits(reply.list()?)?,
    })
}

/// The latest of the waits, the last of equals.
fn read_waits(mut reply: Reply) -> Result<Option<Deferral>, Error> {
    let mut waits = Vec::new();
    while !reply.is_empty() {
        let (scope, lane, slot) = (reply.text()?, reply.text()?, reply.text()?);
        waits.push(decode_slot(&scope, &lane, &slot)?);
    }
    let end = |wait: &Deferral| wait.until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    Ok(waits.into_iter().max_by_key(end))
}
