//! The gate: which deliveries begin now.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use mailer_core::Error;
use mailer_core::domain::{Limit, LimitKind, StoredPolicy};
use mailer_core::gate::{
    BeginBatch, BeginItem, BeginReply, Binding, Gate, Left, Scarce, StartVerdict, Verdict,
};

use crate::args::Args;
use crate::call::Answer;
use crate::deferral;
use crate::limiter::call_around;
use crate::micros::Micros;
use crate::queue::claim_name;
use crate::reply::Reply;
use crate::rules::lines;
use crate::script::{BEGIN, GO, GO_CALENDAR};
use crate::store::RedisStore;

#[async_trait]
impl Gate for RedisStore {
    async fn begin(&self, batch: &BeginBatch) -> Result<BeginReply, Error> {
        let stored = self.policy_of(batch.policy_version).await?;
        let mut reply: Option<BeginReply> = None;
        for groups in Groups::of(batch) {
            let next = self.begin_some(batch, &groups, stored.as_deref()).await?;
            reply = Some(match reply {
                Some(before) => joined(before, next),
                None => next,
            });
        }
        match reply {
            Some(reply) => Ok(reply),
            None => {
                let found = self.read_policy().await?;
                Ok(BeginReply {
                    verdicts: Vec::new(),
                    scarce: Scarce::default(),
                    policy_version: found.version,
                    server_now: found.now.into(),
                })
            }
        }
    }
}

impl RedisStore {
    async fn begin_some(
        &self,
        batch: &BeginBatch,
        groups: &Groups<'_>,
        stored: Option<&StoredPolicy>,
    ) -> Result<BeginReply, Error> {
        let encode = |args: &mut Args, around: &[Micros]| {
            args.text("gate").int(batch.policy_version);
            args.len(groups.bindings.len());
            for binding in &groups.bindings {
                self.rules().encode(args, binding, stored, around);
            }
            groups.encode(args);
        };
        let go = match groups.has_calendar_limits_alone(stored) {
            true => &GO_CALENDAR,
            false => &GO,
        };
        let answer = call_around(self.caller(), "begin", go, encode).await?;
        // Where somebody is hindered, nothing was decided.
        if answer.reply.is_empty() {
            return read_verdicts(call_around(self.caller(), "begin", &BEGIN, encode).await?);
        }
        read_verdicts(answer)
    }

    /// The same without hours and limits.
    pub(crate) async fn start_unlimited(
        &self,
        batch: &BeginBatch,
    ) -> Result<Vec<StartVerdict>, Error> {
        let mut verdicts = Vec::with_capacity(batch.items.len());
        for groups in Groups::of(batch) {
            let mut args = Args::new();
            args.text("start").int(batch.policy_version);
            args.len(groups.bindings.len());
            for binding in &groups.bindings {
                args.text(binding.stream.as_str()).text("");
            }
            groups.encode(&mut args);
            let mut reply = self.caller().call("start", &BEGIN, &args).await?.reply;
            reply.text()?;
            reply.int()?;
            reply.list()?;
            while !reply.is_empty() {
                let count: usize = count(&mut reply)?;
                let verdict = read_start(&mut reply)?;
                verdicts.extend(std::iter::repeat_n(verdict, count));
            }
        }
        Ok(verdicts)
    }
}

const PAGES_AT_ONCE: usize = 16;

/// A batch as scripts read it: its bindings once, and the items of one call after the other.
struct Groups<'a> {
    bindings: Vec<&'a Arc<Binding>>,
    runs: Vec<(usize, &'a [BeginItem])>,
}

impl<'a> Groups<'a> {
    /// The batch in its order, so many pages in each call that none of them keeps the server for long.
    fn of(batch: &'a BeginBatch) -> Vec<Self> {
        let same =
            |one: &BeginItem, other: &BeginItem| one.claim == other.claim && one.call == other.call;
        let runs: Vec<&[BeginItem]> = batch.items.chunk_by(same).collect();
        runs.chunks(PAGES_AT_ONCE).map(Self::of_runs).collect()
    }

    fn of_runs(runs: &[&'a [BeginItem]]) -> Self {
        let mut bindings: Vec<&Arc<Binding>> = Vec::new();
        let mut numbered = Vec::with_capacity(runs.len());
        for run in runs {
            let Some(first) = run.first() else { continue };
            let known = bindings.iter().position(|binding| {
                Arc::ptr_eq(binding, &first.binding) || **binding == first.binding
            });
            numbered.push((known.unwrap_or(bindings.len()), *run));
            if known.is_none() {
                bindings.push(&first.binding);
            }
        }
        Self {
            bindings,
            runs: numbered,
        }
    }

    /// Whether the smaller script is enough.
    fn has_calendar_limits_alone(&self, stored: Option<&StoredPolicy>) -> bool {
        let is_calendar = |limit: &Limit| matches!(limit.kind(), LimitKind::Calendar { .. });
        self.bindings.iter().all(|binding| {
            stored.is_none_or(|stored| {
                let lines = lines(binding, stored);
                lines.iter().all(|(limit, ..)| is_calendar(limit))
            })
        })
    }

    fn encode(&self, args: &mut Args) {
        args.len(self.runs.len());
        for (binding, run) in &self.runs {
            let first = &run[0];
            args.text(claim_name(first.claim))
                .int(first.call)
                .len(binding + 1)
                .indexes(run.iter().map(|item| item.index));
        }
    }
}

fn read_verdicts(mut answer: Answer) -> Result<BeginReply, Error> {
    let reply = &mut answer.reply;
    let policy_version = reply.count()?;
    let scarce = read_scarce(reply.list()?)?;
    let mut verdicts = Vec::new();
    while !reply.is_empty() {
        let count = count(reply)?;
        let verdict = read_verdict(reply)?;
        verdicts.extend(std::iter::repeat_n(verdict, count));
    }
    Ok(BeginReply {
        verdicts,
        scarce,
        policy_version,
        server_now: answer.now.into(),
    })
}

/// The answers of two scripts, one after the other.
fn joined(mut before: BeginReply, next: BeginReply) -> BeginReply {
    before.verdicts.extend(next.verdicts);
    for (scope, lane, left) in next.scarce.iter() {
        before.scarce.note(scope.clone(), lane, left);
    }
    BeginReply {
        verdicts: before.verdicts,
        scarce: before.scarce,
        ..next
    }
}

fn read_scarce(mut reply: Reply) -> Result<Scarce, Error> {
    let mut scarce = Scarce::default();
    while !reply.is_empty() {
        let scope = parsed(&mut reply)?;
        let lane = parsed(&mut reply)?;
        let tokens = reply.count()?;
        let more_at = reply.at_or_none()?.map(Into::into);
        scarce.note(scope, lane, Left { tokens, more_at });
    }
    Ok(scarce)
}

fn parsed<T: FromStr<Err: Display>>(reply: &mut Reply) -> Result<T, Error> {
    let text = reply.text()?;
    text.parse()
        .map_err(|error: T::Err| Error::incompatible("begin", error.to_string()))
}

fn count(reply: &mut Reply) -> Result<usize, Error> {
    reply.count::<u16>().map(usize::from)
}

fn read_verdict(reply: &mut Reply) -> Result<Verdict, Error> {
    match reply.text()?.as_str() {
        "g" => Ok(Verdict::Go {
            send_by: reply.at()?.into(),
            dot_by: reply.at()?.into(),
        }),
        "l" => deferral::decode(reply.list()?)?
            .map(|deferral| Verdict::Limited(Box::new(deferral)))
            .ok_or_else(|| Error::incompatible("begin", "a refusal without its deferral")),
        "h" => Ok(Verdict::Held),
        "c" => Ok(Verdict::PolicyChanged),
        "s" => Ok(Verdict::Stale),
        other => Err(unknown(other)),
    }
}

fn read_start(reply: &mut Reply) -> Result<StartVerdict, Error> {
    let code = reply.text()?;
    match code.as_str() {
        "g" | "r" => {
            reply.at()?;
            let dot_by = reply.at()?.into();
            Ok(match code.as_str() {
                "g" => StartVerdict::Started { dot_by },
                _ => StartVerdict::Repeated { dot_by },
            })
        }
        "h" => Ok(StartVerdict::Held),
        "c" => Ok(StartVerdict::PolicyChanged),
        "s" => Ok(StartVerdict::Stale),
        other => Err(unknown(other)),
    }
}

fn unknown(code: &str) -> Error {
    Error::incompatible("begin", format!("{code:?} is no verdict"))
}

#[cfg(test)]
mod tests {
    use mailer_core::domain::{Lane, Scope};

    use super::*;

    fn reply(verdicts: &[Verdict], left: &[(Scope, u32)], second: i64) -> BeginReply {
        let mut scarce = Scarce::default();
        for (scope, tokens) in left {
            let (tokens, more_at) = (*tokens, None);
            scarce.note(scope.clone(), Lane::Bulk, Left { tokens, more_at });
        }
        BeginReply {
            verdicts: verdicts.to_vec(),
            scarce,
            policy_version: 1,
            server_now: Micros::new(second * 1_000_000).into(),
        }
    }

    #[test]
    fn the_answers_of_two_scripts_are_one() {
        let sender = Scope::sender("a@shop.example");
        let one = reply(
            &[Verdict::Held],
            &[(Scope::Namespace, 9), (sender.clone(), 2)],
            1,
        );
        let two = reply(&[Verdict::Stale], &[(Scope::Namespace, 7)], 2);
        let both = reply(
            &[Verdict::Held, Verdict::Stale],
            &[(Scope::Namespace, 7), (sender, 2)],
            2,
        );
        assert_eq!(joined(one, two), both);
    }
}
