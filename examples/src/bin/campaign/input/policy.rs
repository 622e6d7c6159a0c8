//! What the options change in the policy of the namespace.

use std::str::FromStr;

use mailer_core::calendar::WorkCalendar;
use mailer_core::domain::{Lanes, Limit, LimitError, Policy, Span};
use mailer_core::{ErrorKind, Mailer};

use crate::args::Options;
use crate::failure::Failure;

/// Against other processes that change the policy at the same time.
const TRIES: u32 = 10;

/// A limit, or the word that removes all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LimitArg {
    None,
    Limit(Limit),
}

/// What is left out stays as it is.
#[derive(Debug)]
pub(crate) struct PolicyChange {
    limits: Option<Vec<Limit>>,
    reserved: Option<u8>,
    hours: Option<WorkCalendar>,
    transient_delay: Option<Span>,
}

impl PolicyChange {
    pub(crate) fn of(options: &Options) -> Result<Self, Failure> {
        Ok(Self {
            limits: limits(&options.limits)?,
            reserved: options.reserved,
            hours: hours(options)?,
            transient_delay: options.transient_delay,
        })
    }

    /// The policy that comes of it.
    pub(crate) fn apply(&self, mut policy: Policy) -> Result<Policy, Failure> {
        if let Some(limits) = &self.limits {
            policy = policy.with_limits(limits.iter().cloned());
        }
        if let Some(percent) = self.reserved {
            policy = policy.reserved(percent)?;
        }
        if let Some(hours) = &self.hours {
            policy = policy.calendar(hours.clone(), Lanes::BULK);
        }
        if let Some(delay) = self.transient_delay {
            policy = policy.transient_delay(delay.into());
        }
        Ok(policy)
    }

    /// Sets it in the store; where no policy is stored, "unlimited" is what is changed.
    pub(crate) async fn store(&self, mailer: &Mailer) -> Result<(), Failure> {
        let mut tries = 1;
        loop {
            let (policy, version) = match mailer.policy().await? {
                Some(stored) => (stored.policy, stored.version),
                None => (Policy::unlimited(), 0),
            };
            match mailer.set_policy(&self.apply(policy)?, Some(version)).await {
                // Another process has changed it in this moment: what it wrote is what is changed now.
                Err(error) if error.kind() == ErrorKind::Conflict && tries < TRIES => tries += 1,
                set => return Ok(set.map(drop)?),
            }
        }
    }
}

fn limits(given: &[LimitArg]) -> Result<Option<Vec<Limit>>, Failure> {
    let limits: Vec<Limit> = given
        .iter()
        .filter_map(|limit| match limit {
            LimitArg::None => None,
            LimitArg::Limit(limit) => Some(limit.clone()),
        })
        .collect();
    match (given.len(), limits.len()) {
        (0, _) => Ok(None),
        (given, kept) if given == kept || kept == 0 => Ok(Some(limits)),
        _ => Err(Failure::LimitBesideNone),
    }
}

fn hours(options: &Options) -> Result<Option<WorkCalendar>, Failure> {
    let Some(hours) = &options.hours else {
        return match (&options.zone, options.holidays.as_slice()) {
            (None, []) => Ok(None),
            (Some(_), _) => Err(Failure::NeedsHours("zone")),
            (None, _) => Err(Failure::NeedsHours("holiday")),
        };
    };
    let zone = options.zone.as_ref().map_or("UTC", |zone| zone.name());
    let calendar = WorkCalendar::parse(hours, zone)?;
    Ok(Some(calendar.holidays(options.holidays.iter().copied())?))
}

impl FromStr for LimitArg {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        match text {
            "none" => Ok(Self::None),
            _ => text.parse().map(Self::Limit),
        }
    }
}
