//! What streams are: read once, since it never changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mailer_core::Error;
use mailer_core::domain::{CampaignSpec, Lane, Letter};
use mailer_core::gate::Binding;
use mailer_core::queue::StreamId;

use crate::args::Args;
use crate::call::Caller;
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
    /// The stream that had this number at a claim. `None`: it has gone since.
    pub(crate) async fn get(
        &self,
        caller: &Caller,
        id: &StreamId,
        number: u64,
    ) -> Result<Option<Arc<Known>>, Error> {
        let key = (id.clone(), number);
        if let Some(known) = self.lock().get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some((found, known)) = read(caller, id).await? else {
            return Ok(None);
        };
        let mut all = self.lock();
        if all.len() >= MOST {
            all.clear();
        }
        let known = Arc::clone(all.entry((id.clone(), found)).or_insert(known));
        Ok((found == number).then_some(known))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(StreamId, u64), Arc<Known>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a stream is, as the store has it.
pub(crate) async fn read(
    caller: &Caller,
    id: &StreamId,
) -> Result<Option<(u64, Arc<Known>)>, Error> {
    let mut args = Args::new();
    args.text(id.as_str());
    let mut reply = caller.call("claim", &SPEC, &args).await?.reply;
    if reply.is_empty() {
        return Ok(None);
    }
    let (number, spec) = (reply.count()?, reply.text()?);
    let known = if spec.is_empty() {
        Known {
            binding: Arc::new(standing(id, reply.text()?.parse().ok())?),
            campaign: None,
        }
    } else {
        let spec: CampaignSpec = serde_json::from_str(&spec)
            .map_err(|error| Error::incompatible("claim", format!("campaign {id}: {error}")))?;
        Known {
            binding: Arc::new(Binding::of_campaign(&spec)),
            campaign: Some((spec.clone(), Arc::new(spec.letter))),
        }
    };
    Ok(Some((number, Arc::new(known))))
}

/// A standing stream's name tells all: `~lane:relay:sender`.
fn standing(id: &StreamId, lane: Option<Lane>) -> Result<Binding, Error> {
    let wrong = || Error::incompatible("claim", format!("{id} names no stream"));
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
