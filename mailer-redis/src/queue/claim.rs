//! Leasing pages.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mailer_core::calendar::WorkCalendar;
use mailer_core::domain::{ClaimId, Lane, Policy, Reason, Scope};
use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, Defer, Settled, Settlement, StreamId, Wait,
};
use mailer_core::{Error, ErrorKind};

use super::page::Leased;
use super::{claim_name, room};
use crate::args::Args;
use crate::hours;
use crate::micros::Micros;
use crate::script::CLAIM;
use crate::store::RedisStore;
use crate::streams::Known;

/// Every round tells the script of one more stream or instant that it asked for.
const MOST_ROUNDS: usize = 64;

/// What the script is told beside the request.
#[derive(Default)]
struct Told {
    version: u64,
    policy: Option<Policy>,
    streams: HashMap<StreamId, Arc<Known>>,
    around: Vec<Micros>,
}

impl RedisStore {
    pub(super) async fn lease(&self, request: &ClaimRequest) -> Result<ClaimReply, Error> {
        let mut told = Told::default();
        self.tell_policy(&mut told, false).await?;
        let mut now = self.caller().about_now();
        for _ in 0..MOST_ROUNDS {
            let mut args = Args::new();
            args.text(claim_name(request.id));
            room::encode(&mut args, &request.room);
            told.encode(&mut args, now);
            let answer = self.caller().call("claim", &CLAIM, &args).await?;
            now = answer.now;
            let mut reply = answer.reply;
            match reply.text()?.as_str() {
                "claimed" => {
                    let leased = Leased::read(&mut reply)?;
                    return match self.open_page(request, &leased, now).await {
                        Ok(Some(claim)) => Ok(ClaimReply::Claimed(claim)),
                        Ok(None) => Ok(at_once(now)),
                        Err(error) if error.kind() == ErrorKind::Incompatible => {
                            self.set_aside(request.id, &leased, &error).await?;
                            Ok(at_once(now))
                        }
                        Err(error) => Err(error),
                    };
                }
                "nothing" => {
                    return Ok(ClaimReply::Nothing {
                        next_due: reply.at_or_none()?.map(DateTime::<Utc>::from),
                        server_now: now.into(),
                    });
                }
                "policy" => self.tell_policy(&mut told, true).await?,
                "hours" => {
                    let (id, number) = (StreamId::from(reply.text()?), reply.count()?);
                    if let Some(known) = self
                        .streams()
                        .get(self.caller(), "claim", &id, number)
                        .await?
                    {
                        told.streams.insert(id, known);
                    }
                }
                "at" => told.around.push(reply.at()?),
                word => return Err(reply.unknown(word)),
            }
        }
        // Each round has put a stream to sleep: the rest is for the next call.
        Ok(at_once(now))
    }

    async fn tell_policy(&self, told: &mut Told, anew: bool) -> Result<(), Error> {
        let known = self.known_policy().clone();
        let stored = match known {
            Some(stored) if !anew => Some(stored),
            _ => self.read_policy().await?.stored,
        };
        told.version = stored.as_ref().map_or(0, |stored| stored.version);
        told.policy = stored.map(|stored| stored.policy.clone());
        Ok(())
    }

    /// `None`: the stream has gone since.
    async fn open_page(
        &self,
        request: &ClaimRequest,
        leased: &Leased,
        now: Micros,
    ) -> Result<Option<Claim>, Error> {
        let known = self
            .streams()
            .get(self.caller(), "claim", &leased.stream, leased.number)
            .await?;
        let Some(known) = known else {
            return Ok(None);
        };
        Ok(Some(Claim {
            id: request.id,
            token: leased.token,
            binding: Arc::clone(&known.binding),
            server_now: now.into(),
            deliveries: leased.deliveries(&known)?,
        }))
    }

    /// A page that this version cannot read goes back, and its stream waits: others are served meanwhile, and a worker that
    /// can read it takes it then.
    async fn set_aside(&self, claim: ClaimId, leased: &Leased, error: &Error) -> Result<(), Error> {
        let all: Vec<Settlement> = leased
            .indexes()
            .map(|index| Settlement {
                claim,
                index,
                settled: Settled::NotStarted,
                detail: String::new(),
            })
            .collect();
        let wait = Defer {
            scope: Scope::Campaign(leased.stream.as_str().to_owned()),
            lane: None,
            reason: Reason::ComposeUnavailable,
            wait: Wait::AfterTrouble,
            detail: Some(error.to_string()),
            unless_sent_since: None,
            policy_version: None,
        };
        self.take_back(&all, &[wait]).await?;
        Ok(())
    }
}

/// Ask again.
fn at_once(now: Micros) -> ClaimReply {
    ClaimReply::Nothing {
        next_due: Some(now.into()),
        server_now: now.into(),
    }
}

impl Told {
    fn encode(&self, args: &mut Args, now: Micros) {
        let around: Vec<Micros> = std::iter::once(now)
            .chain(self.around.iter().copied())
            .collect();
        args.int(self.version).len(Lane::ALL.len());
        for lane in Lane::ALL {
            args.text(lane.as_str());
            let calendars: Vec<&WorkCalendar> = self
                .policy
                .as_ref()
                .and_then(|policy| policy.hours_for(lane))
                .into_iter()
                .collect();
            encode_hours(args, &calendars, &around);
        }
        args.len(self.streams.len());
        for (id, known) in &self.streams {
            args.text(id.as_str());
            let calendars: Vec<&WorkCalendar> = match &self.policy {
                Some(policy) => known.binding.hours(policy).collect(),
                None => known.binding.hours.iter().collect(),
            };
            encode_hours(args, &calendars, &around);
        }
    }
}

/// Why they never open, and when they open.
pub(crate) fn encode_hours(args: &mut Args, calendars: &[&WorkCalendar], around: &[Micros]) {
    let mut table = Args::new();
    let never = hours::encode(&mut table, calendars, around);
    args.text(never).extend(&table);
}
