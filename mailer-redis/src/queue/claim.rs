//! Leasing pages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::calendar::WorkCalendar;
use mailer_core::domain::{Lane, MessageSpec, Policy, decode_page};
use mailer_core::queue::{Claim, ClaimReply, ClaimRequest, ClaimedDelivery, StreamId};

use super::{claim_name, room};
use crate::args::Args;
use crate::hours;
use crate::micros::Micros;
use crate::reply::Reply;
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
                    if let Some(claim) = self.claimed(request, &mut reply, now).await? {
                        return Ok(ClaimReply::Claimed(claim));
                    }
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
                    if let Some(known) = self.streams().get(self.caller(), &id, number).await? {
                        told.streams.insert(id, known);
                    }
                }
                _ => told.around.push(reply.at()?),
            }
        }
        Err(Error::unavailable(
            "claim",
            format!("the hours of the streams that are due took more than {MOST_ROUNDS} questions"),
            Duration::from_secs(1),
        ))
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
    async fn claimed(
        &self,
        request: &ClaimRequest,
        reply: &mut Reply,
        now: Micros,
    ) -> Result<Option<Claim>, Error> {
        let (stream, number) = (StreamId::from(reply.text()?), reply.count()?);
        let known = self.streams().get(self.caller(), &stream, number).await?;
        let Some(known) = known else {
            return Ok(None);
        };
        let token = reply.count()?;
        let body = reply.text()?;
        let indexes = reply.bytes()?;
        let rows = read_rows(&mut reply.list()?)?;
        let mut mails = reply.list()?;
        let mut records: Vec<_> = match body.as_str() {
            "" => Vec::new(),
            body => decode_page(body)
                .map_err(|fault| Error::incompatible("claim", fault))?
                .into_iter()
                .map(Some)
                .collect(),
        };
        let mut deliveries = Vec::new();
        for index in indexes.into_iter().map(u16::from) {
            let (record, letter, on_unknown) = match &known.campaign {
                Some((spec, letter)) => {
                    let record = records.get_mut(usize::from(index)).and_then(Option::take);
                    (record, Arc::clone(letter), spec.on_unknown)
                }
                None => {
                    let mail: MessageSpec = serde_json::from_str(&mails.text()?)
                        .map_err(|error| Error::incompatible("claim", error.to_string()))?;
                    (Some(mail.to), Arc::new(mail.letter), mail.on_unknown)
                }
            };
            let record = record.ok_or_else(|| {
                Error::incompatible("claim", format!("a page of {stream} lacks number {index}"))
            })?;
            let (attempts, repeats) = rows.get(&index).copied().unwrap_or_default();
            deliveries.push(ClaimedDelivery {
                index,
                record,
                letter,
                attempt: attempts + 1,
                repeats: repeats.map(DateTime::from),
                on_unknown,
            });
        }
        Ok(Some(Claim {
            id: request.id,
            token,
            binding: Arc::clone(&known.binding),
            server_now: now.into(),
            deliveries,
        }))
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

/// The attempts of a delivery, and the begin of one that is in doubt.
type Row = (u32, Option<Micros>);

fn read_rows(rows: &mut Reply) -> Result<HashMap<u16, Row>, Error> {
    let mut found = HashMap::new();
    while !rows.is_empty() {
        found.insert(rows.count()?, (rows.count()?, rows.at_or_none()?));
    }
    Ok(found)
}
