//! What was promised, held against what has happened.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use mailer_core::domain::{CampaignState, OnUnknown, Status};

use crate::args::{Args, Trouble};
use crate::host::SENDER;
use crate::record::Fate;

/// Examples of each violation that are shown.
const SHOWN: usize = 5;

#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) trouble: Trouble,
    pub(crate) rule: OnUnknown,
    pub(crate) kills: u64,
    pub(crate) outages: u64,
    pub(crate) lasted: Duration,
    pub(crate) left: Vec<String>,
    pub(crate) violations: Vec<String>,
    states: BTreeMap<String, usize>,
    in_doubt: usize,
    doubles: usize,
    missing: usize,
}

impl Verdict {
    pub(crate) fn new(trouble: Trouble, rule: OnUnknown) -> Self {
        Self {
            trouble,
            rule,
            kills: 0,
            outages: 0,
            lasted: Duration::ZERO,
            left: Vec::new(),
            violations: Vec::new(),
            states: BTreeMap::new(),
            in_doubt: 0,
            doubles: 0,
            missing: 0,
        }
    }

    /// Every recipient's fate.
    pub(crate) fn hear(&mut self, args: &Args, fates: &[Fate]) {
        for fate in fates {
            *self.states.entry(fate.told.state.clone()).or_default() += 1;
        }
        let count = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count();
        self.in_doubt = count(|fate| fate.told.in_doubt);
        self.doubles = count(|fate| fate.taken > 1);
        self.missing = count(|fate| fate.taken == 0);
        let known = count(|fate| fate.campaign.as_str() != SENDER);
        if known != args.recipients / args.campaigns * args.campaigns {
            self.violations
                .push(format!("the ledger knows {known} recipients"));
        }
        self.none(
            fates,
            "is missing, and the ledger does not say so",
            |fate| fate.taken == 0 && !matches!(fate.told.state.as_str(), "unknown" | "failed"),
        );
        self.none(fates, "got a mail, and the ledger says otherwise", |fate| {
            fate.taken > 0 && !matches!(fate.told.state.as_str(), "sent" | "unknown")
        });
        self.none(fates, "has failed, though no mail was refused", |fate| {
            fate.told.state == "failed"
        });
        if self.rule == OnUnknown::Resend {
            self.none(fates, "got two mails, and was never in doubt", |fate| {
                fate.taken > 1 && !fate.told.in_doubt
            });
        } else {
            self.none(fates, "got two mails", |fate| fate.taken > 1);
        }
        // What is in flight, and what has come to its end while the last settlement was under way.
        let most = self.kills as usize * 2 * args.connections;
        if self.in_doubt > most {
            self.violations.push(format!(
                "{} are or were in doubt, and {} kills explain {most} at most",
                self.in_doubt, self.kills
            ));
        }
    }

    pub(crate) fn hear_statuses(&mut self, statuses: &[Status]) {
        for status in statuses {
            if status.state != CampaignState::Completed {
                self.violations
                    .push(format!("it is stuck: {status}, {:?}", status.counts));
            }
            if status.counts.sum() != status.counts.total {
                self.violations
                    .push(format!("the counts do not add up: {:?}", status.counts));
            }
        }
    }

    fn none(&mut self, fates: &[Fate], what: &str, is: fn(&Fate) -> bool) {
        let found: Vec<&Fate> = fates.iter().filter(|fate| is(fate)).collect();
        for fate in found.iter().take(SHOWN) {
            self.violations.push(format!(
                "{} of {} {what}: {} mails at the relay, {:?}",
                fate.told.address, fate.campaign, fate.taken, fate.told
            ));
        }
        if found.len() > SHOWN {
            self.violations
                .push(format!("and {} more: {what}", found.len() - SHOWN));
        }
    }
}

fn name(rule: OnUnknown) -> &'static str {
    match rule {
        OnUnknown::AssumeSent => "assume-sent",
        OnUnknown::Resend => "resend",
        OnUnknown::Hold => "hold",
    }
}

pub(crate) const HEAD: &str =
    "trouble   on-unknown   kills outages    sent unknown  failed in-doubt doubles missing seconds";

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = |name: &str| self.states.get(name).copied().unwrap_or(0);
        write!(
            f,
            "{:<9} {:<11} {:>6} {:>7} {:>7} {:>7} {:>7} {:>8} {:>7} {:>7} {:>7.0}",
            self.trouble.to_string(),
            name(self.rule),
            self.kills,
            self.outages,
            state("sent"),
            state("unknown"),
            state("failed"),
            self.in_doubt,
            self.doubles,
            self.missing,
            self.lasted.as_secs_f64(),
        )
    }
}
