//! Taking what became of deliveries.

use mailer_core::Error;
use mailer_core::domain::HaltCause;
use mailer_core::queue::{Defer, Halt, SettleReply, SettleResult, Settled, Settlement, StreamId};

use super::claim_name;
use crate::args::Args;
use crate::deferral::{self, micros};
use crate::intake::rule;
use crate::script::{SETTLE, SETTLE_MORE};
use crate::store::RedisStore;

impl RedisStore {
    pub(super) async fn take_back(
        &self,
        settlements: &[Settlement],
        defers: &[Defer],
    ) -> Result<SettleReply, Error> {
        let mut args = Args::new();
        let runs: Vec<&[Settlement]> = settlements.chunk_by(is_alike).collect();
        args.len(runs.len());
        for run in runs {
            encode(&mut args, run);
        }
        args.len(defers.len());
        for defer in defers {
            deferral::encode(&mut args, defer);
        }
        let gives_back = |settlement: &Settlement| settlement.settled == Settled::NotStarted;
        let script = if !defers.is_empty() || settlements.iter().any(gives_back) {
            &SETTLE_MORE
        } else {
            &SETTLE
        };
        let mut answer = self.caller().call("settle", script, &args).await?;
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
        let mut halted = Vec::new();
        while !answer.reply.is_empty() {
            let mut halt = answer.reply.list()?;
            halted.push(Halt {
                stream: StreamId::from(halt.text()?),
                cause: HaltCause::PolicyBlocks,
                detail: halt.text()?,
                unless_sent_since: None,
            });
        }
        Ok(SettleReply {
            results,
            deferrals,
            halted,
            server_now: answer.now.into(),
        })
    }
}

/// Whether all that is said of them but the index is the same.
fn is_alike(one: &Settlement, other: &Settlement) -> bool {
    one.claim == other.claim && one.settled == other.settled && words(one) == words(other)
}

/// The words about a mail that was sent are not kept.
fn words(settlement: &Settlement) -> &str {
    match settlement.settled {
        Settled::Sent => "",
        _ => &settlement.detail,
    }
}

fn encode(args: &mut Args, run: &[Settlement]) {
    let Some(first) = run.first() else { return };
    let (code, more) = match first.settled {
        Settled::Sent => ("s", String::new()),
        Settled::Failed(failure) => ("f", failure.code().to_owned()),
        Settled::Retry { after } => (
            "r",
            after.map_or(String::new(), |after| micros(after).to_string()),
        ),
        Settled::NotStarted => ("n", String::new()),
        Settled::Returned => ("t", String::new()),
        Settled::Troubled => ("m", String::new()),
        Settled::Unknown { rule: unknown } => ("u", rule(unknown).to_owned()),
        Settled::Skipped => ("k", String::new()),
        Settled::Suppressed => ("x", String::new()),
    };
    args.text(claim_name(first.claim))
        .text(code)
        .text(more)
        .text(words(first))
        .indexes(run.iter().map(|settlement| settlement.index));
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
