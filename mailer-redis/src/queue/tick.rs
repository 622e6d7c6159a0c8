//! Signs of life.

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::domain::RelayName;
use mailer_core::queue::{Tick, TickReply};
use serde::{Deserialize, Serialize};

use super::{claim_name, room};
use crate::args::{Args, json};
use crate::deferral::micros;
use crate::script::TICK;
use crate::store::RedisStore;

/// What a worker says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Present {
    pub(crate) relays: Vec<RelayName>,
    pub(crate) composers: Vec<String>,
}

impl RedisStore {
    pub(super) async fn sign_of_life(&self, tick: &Tick) -> Result<TickReply, Error> {
        let presence = Present {
            relays: tick.relays.clone(),
            composers: tick.composers.clone(),
        };
        let presence = match tick.present {
            true => json("tick", &presence)?,
            false => String::new(),
        };
        let mut args = Args::new();
        args.text(tick.worker.to_string())
            .text(presence)
            .text(micros(tick.next_within).to_string());
        room::encode(&mut args, &tick.room);
        args.len(tick.claims.len());
        for claim in &tick.claims {
            args.text(claim_name(*claim));
        }
        let mut answer = self.caller().call("tick", &TICK, &args).await?;
        let policy_version = answer.reply.count()?;
        let next_due = answer.reply.at_or_none()?.map(DateTime::<Utc>::from);
        let lost: Vec<String> = answer.reply.list()?.texts()?;
        Ok(TickReply {
            server_now: answer.now.into(),
            policy_version,
            lost: tick
                .claims
                .iter()
                .copied()
                .filter(|claim| lost.contains(&claim_name(*claim)))
                .collect(),
            next_due,
        })
    }
}
