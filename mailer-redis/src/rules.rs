//! What binds a stream, as scripts read it: working hours and limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use mailer_core::calendar::WorkCalendar;
use mailer_core::domain::{Limit, Scope, StoredPolicy};
use mailer_core::gate::Binding;
use mailer_core::queue::StreamId;

use crate::args::Args;
use crate::hours;
use crate::limiter;
use crate::micros::Micros;

/// The rules of streams as they were last written: the same tables serve for a while, since a script that meets an
/// instant which they do not cover asks anew.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<HashMap<StreamId, Written>>);

#[derive(Debug)]
struct Written {
    binding: Arc<Binding>,
    version: u64,
    at: Micros,
    args: Args,
}

/// So long they serve.
const SERVE: i64 = 2_000_000;
/// So many are kept in memory.
const MOST: usize = 1024;

impl Rules {
    /// Writes what `begin.lua` reads of a binding.
    pub(crate) fn encode(
        &self,
        args: &mut Args,
        binding: &Arc<Binding>,
        stored: Option<&StoredPolicy>,
        around: &[Micros],
    ) {
        let (Some(stored), [now]) = (stored, around) else {
            return encode(args, binding, stored, around);
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = all.get(&binding.stream)
            && written.version == stored.version
            && (0..SERVE).contains(&(*now - written.at))
            && (Arc::ptr_eq(&written.binding, binding) || written.binding == *binding)
        {
            args.extend(&written.args);
            return;
        }
        let mut fresh = Args::new();
        encode(&mut fresh, binding, Some(stored), around);
        args.extend(&fresh);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(
            binding.stream.clone(),
            Written {
                binding: Arc::clone(binding),
                version: stored.version,
                at: *now,
                args: fresh,
            },
        );
    }
}

fn encode(args: &mut Args, binding: &Binding, stored: Option<&StoredPolicy>, around: &[Micros]) {
    args.text(binding.stream.as_str());
    let Some(stored) = stored else {
        args.text("").len(0).len(0).len(0);
        return;
    };
    let policy: Vec<&WorkCalendar> = stored.policy.hours_for(binding.lane).into_iter().collect();
    let all: Vec<&WorkCalendar> = binding.hours(&stored.policy).collect();
    let (mut of_policy, mut of_all) = (Args::new(), Args::new());
    hours::encode(&mut of_policy, &policy, around);
    let never = hours::encode(&mut of_all, &all, around);
    args.text(never).extend(&of_policy).extend(&of_all);
    limiter::encode(
        args,
        &lines(binding, stored),
        binding.lane,
        stored.policy.reserved_percent(),
        around,
    );
}

/// The limits that bind it, in the order of [`Binding::limits`]; one that retires, with the instant from which it counts
/// no more.
pub(crate) fn lines<'a>(
    binding: &'a Binding,
    stored: &'a StoredPolicy,
) -> Vec<(&'a Limit, Scope, Option<DateTime<Utc>>)> {
    let present = stored.policy.limits().iter().map(|limit| (limit, None));
    let retiring = stored
        .retiring
        .iter()
        .map(|(limit, until)| (limit, Some(*until)));
    let own = binding.limits.iter().map(|limit| (limit, None));
    present
        .chain(retiring)
        .chain(own)
        .map(|(limit, until)| (limit, binding.scope(limit.per()), until))
        .collect()
}
