//! What streams are: read once, since it never changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mailer_core::Error;
use mailer_core::domain::{CampaignSpec, Lane, Letter};
use mailer_core::gate::Binding;
use mailer_core::queue::StreamId;

use crate::args::Args;
use crate::call::Caller;
use crate::reply::Reply;
use crate::script::SPEC;

/// A stream as all its claims have it in common.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) binding: Arc<Binding>,
    pub(crate) campaign: Option<(CampaignSpec, Arc<Letter>)>,
}

/// Streams by name and number: a name that was purged or aged out may come again with another number.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<HashMap<(StreamId, u64), Arc<Known>>>);

/// So many are kept in memory.
const MOST: usize = 4096;

impl Streams {
    /// The stream that had this number when it was looked at. `None`: it has gone since.
    pub(crate) async fn get(
        &self,
        caller: &Caller,
        op: &'static str,
        id: &StreamId,
        number: u64,
    ) -> Result<Option<Arc<Known>>, Error> {
        let wanted = (id.clone(), number);
        let known = self.get_all(caller, op, vec![wanted]).await?;
        Ok(known.into_iter().next().flatten())
    }

    /// The same for several, of which those that are not known yet are read by one script.
    pub(crate) async fn get_all(
        &self,
        caller: &Caller,
        op: &'static str,
        wanted: Vec<(StreamId, u64)>,
    ) -> Result<Vec<Option<Arc<Known>>>, Error> {
        let missing: Vec<StreamId> = {
            let all = self.lock();
            let unknown = wanted.iter().filter(|key| !all.contains_key(*key));
            unknown.map(|(id, _)| id.clone()).collect()
        };
        let mut found = HashMap::new();
        if !missing.is_empty() {
            found = read(caller, op, &missing).await?;
        }
        let mut all = self.lock();
        let known = wanted
            .iter()
            .map(|key| all.get(key).or_else(|| found.get(key)).cloned())
            .collect();
        if all.len() + found.len() > MOST {
            all.clear();
        }
        all.extend(found);
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(StreamId, u64), Arc<Known>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What streams are, as the store has them.
async fn read(
    caller: &Caller,
    op: &'static str,
    ids: &[StreamId],
) -> Result<HashMap<(StreamId, u64), Arc<Known>>, Error> {
    let mut args = Args::new();
    args.len(ids.len());
    for id in ids {
        args.text(id.as_str());
    }
    let mut reply = caller.call(op, &SPEC, &args).await?.reply;
    let mut found = HashMap::new();
    for id in ids {
        let mut one = reply.list()?;
        if !one.is_empty() {
            let number = one.count()?;
            found.insert((id.clone(), number), Arc::new(known(op, id, &mut one)?));
        }
    }
    Ok(found)
}

fn known(op: &'static str, id: &StreamId, reply: &mut Reply) -> Result<Known, Error> {
    let (spec, lane) = (reply.text()?, reply.text()?);
    if spec.is_empty() {
        return Ok(Known {
            binding: Arc::new(standing(op, id, lane.parse().ok())?),
            campaign: None,
        });
    }
    let spec: CampaignSpec = serde_json::from_str(&spec)
        .map_err(|error| Error::incompatible(op, format!("campaign {id}: {error}")))?;
    let letter = Arc::new(spec.letter.clone());
    Ok(Known {
        binding: Arc::new(Binding::of_campaign(&spec)),
        campaign: Some((spec, letter)),
    })
}

/// A standing stream's name tells all: `~lane:relay:sender`.
fn standing(op: &'static str, id: &StreamId, lane: Option<Lane>) -> Result<Binding, Error> {
    let wrong = || Error::incompatible(op, format!("{id} names no stream"));
    let mut parts = id.as_str().splitn(3, ':').skip(1);
    let (Some(relay), Some(sender)) = (parts.next(), parts.next()) else {
        return Err(wrong());
    };
    Ok(Binding {
        stream: id.clone(),
        lane: lane.ok_or_else(wrong)?,
        relay: relay.parse().map_err(|_| wrong())?,
        sender: sender.parse().map_err(|_| wrong())?,
        limits: Vec::new(),
        hours: None,
    })
}
