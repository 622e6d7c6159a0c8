//! Taking what became of deliveries.

use mailer_core::Error;
use mailer_core::queue::{Defer, SettleReply, SettleResult, Settled, Settlement};

use super::claim_name;
use crate::args::Args;
use crate::deferral::{self, micros};
use crate::intake::rule;
use crate::script::SETTLE;
use crate::store::RedisStore;

impl RedisStore {
    pub(super) async fn take_back(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        let mut args = Args::new();
        args.len(settlements.len());
        for settlement in settlements {
            encode(&mut args, settlement);
        }
        args.len(defers.len());
        for defer in defers {
            deferral::encode(&mut args, defer);
        }
        let mut answer = self.caller().call("settle", &SETTLE, &args).await?;
        let results = answer
            .reply
            .text()?
            .chars()
            .map(result)
            .collect::<Result<_, _>>()?;
        let deferrals = defers
            .iter()
            .map(|_| deferral::decode(answer.reply.list()?))
            .collect::<Result<_, _>>()?;
        Ok(SettleReply {
            results,
            deferrals,
            server_now: answer.now.into(),
        })
    }
}

fn encode(args: &mut Args, settlement: &Settlement) {
    let (code, more) = match settlement.settled {
        Settled::Sent => ("s", String::new()),
        Settled::Failed(failure) => ("f", failure.code().to_owned()),
        Settled::Retry { after } => (
            "r",
            after.map_or(String::new(), |after| micros(after).to_string()),
        ),
        Settled::NotStarted => ("n", String::new()),
        Settled::Returned => ("t", String::new()),
        Settled::Unknown { rule: unknown } => ("u", rule(unknown).to_owned()),
        Settled::Skipped => ("k", String::new()),
        Settled::Suppressed => ("x", String::new()),
    };
    args.text(claim_name(settlement.claim))
        .int(settlement.index)
        .text(code)
        .text(more)
        .text(&settlement.detail);
}

fn result(code: char) -> Result<SettleResult, Error> {
    match code {
        'a' => Ok(SettleResult::Applied),
        'r' => Ok(SettleResult::Repeated),
        's' => Ok(SettleResult::Stale),
        'v' => Ok(SettleResult::Resolved),
        other => Err(Error::incompatible(
            "settle",
            format!("{other:?} is no result"),
        )),
    }
}
