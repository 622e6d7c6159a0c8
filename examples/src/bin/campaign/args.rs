//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Parser, Subcommand};
use mailer_core::calendar::Zone;
use mailer_core::domain::{CampaignId, OnUnknown, Span};

use crate::input::{LimitArg, at_least_one, date, instant};
use crate::store::{DurabilityArg, Namespace, StoreUrl};

/// Sends an e-mail campaign through an SMTP relay, under limits and working hours.
///
/// Without a command it runs the example campaign: 1,000 mails into a catcher, which keeps them in ./outbox.
#[derive(Debug, Parser)]
#[command(name = "campaign", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Submit a campaign and work until it is done
    Run {
        /// Stop as soon as the campaign is deferred
        #[arg(long)]
        no_wait: bool,
    },
    /// Submit only, and print the campaign's id
    Submit,
    /// List all campaigns
    List,
    /// Run a worker
    Work {
        /// End when nothing is due
        #[arg(long)]
        until_idle: bool,
    },
    /// Say what a campaign is doing, why it waits, and when it goes on
    Status {
        id: CampaignId,
        /// Follow it until it is final
        #[arg(long)]
        watch: bool,
    },
    /// Pause a campaign
    Pause { id: CampaignId },
    /// Let a campaign go on after a pause or a halt
    Resume { id: CampaignId },
    /// Cancel a campaign for good
    Cancel { id: CampaignId },
    /// Forget a campaign that is over, but for its id and its counts
    Purge { id: CampaignId },
    /// Send one test mail, with the merge fields of the first recipient; from a shared store, running workers send it
    Test {
        /// Who gets it
        #[arg(long, value_name = "ADDR")]
        to: String,
    },
    /// Show, change or remove the policy of the namespace
    Policy {
        #[command(subcommand)]
        what: PolicyCommand,
    },
    /// Show how the policy would let a campaign out; nothing is sent
    Simulate {
        /// For so many recipients [default: as many as the file has]
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// From this instant on, such as 2026-11-24T17:00:00Z [default: now]
        #[arg(long, value_name = "TIME", value_parser = instant)]
        start: Option<DateTime<Utc>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show it
    Show,
    /// Change what --limit, --reserved, --hours and --transient-delay say, and leave the rest
    Set,
    /// Remove it: nothing is sent until one is set
    Clear,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where campaigns are kept: memory, or redis://HOST:PORT/DB
    #[arg(long, global = true, value_name = "STORE", default_value = "memory")]
    pub(crate) store: StoreUrl,
    /// The namespace within the store
    #[arg(long, global = true, value_name = "NAME", default_value = "mailer")]
    pub(crate) namespace: Namespace,
    /// What is demanded of a Redis before mail depends on it
    #[arg(
        long,
        global = true,
        value_name = "RULE",
        value_enum,
        default_value = "no-eviction"
    )]
    pub(crate) durability: DurabilityArg,
    /// The relay: smtps://USER:PASS@HOST:PORT, smtp://HOST:PORT?tls=required, or smtp://HOST:PORT on this machine
    /// [default: a catcher on a free loopback port, mails kept in ./outbox]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) smtp: Option<String>,
    /// Who gets it: CSV with a header row and a column `email` [default: 1,000 examples]
    #[arg(long, global = true, value_name = "FILE.csv")]
    pub(crate) recipients: Option<PathBuf>,
    /// The campaign's id
    #[arg(long, global = true, default_value = "campaign")]
    pub(crate) id: CampaignId,
    /// The sender
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        default_value = "Example Shop <news@example.com>"
    )]
    pub(crate) from: String,
    /// Where bounces go, if not to the sender
    #[arg(long, global = true, value_name = "ADDR", conflicts_with = "verp")]
    pub(crate) return_path: Option<String>,
    /// Where bounces go: an address for each recipient, made of this one, such as
    /// bounces+ann=example.com@shop.example of bounces@shop.example
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) verp: Option<String>,
    /// The subject: a template
    #[arg(long, global = true, value_name = "TEMPLATE")]
    pub(crate) subject: Option<String>,
    /// The mail as plain text: a template
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// The mail as HTML: a template
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// A limit, such as 100/hour, "1000/day@Europe/Moscow per sender", "300/60m rolling"; `none` removes all
    #[arg(
        long = "limit",
        global = true,
        value_name = "SPEC",
        allow_hyphen_values = true
    )]
    pub(crate) limits: Vec<LimitArg>,
    /// So many percent of every limit are kept from bulk mail, for test mails and transactional ones
    #[arg(long, global = true, value_name = "PERCENT")]
    pub(crate) reserved: Option<u8>,
    /// Working hours, such as "Mon-Fri 09:00-18:00,Sat 10:00-14:00"; `always` removes them
    #[arg(long, global = true, value_name = "HOURS", allow_hyphen_values = true)]
    pub(crate) hours: Option<String>,
    /// The zone of the hours [default: UTC]
    #[arg(long, global = true, value_name = "ZONE")]
    pub(crate) zone: Option<Zone>,
    /// A date that is closed
    #[arg(long = "holiday", global = true, value_name = "YYYY-MM-DD", value_parser = date)]
    pub(crate) holidays: Vec<NaiveDate>,
    /// The wait after relay trouble, such as 5m
    #[arg(long, global = true, value_name = "SPAN", allow_hyphen_values = true)]
    pub(crate) transient_delay: Option<Span>,
    /// How many connections to the relay, at least 1
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value = "8",
        value_parser = at_least_one,
        allow_hyphen_values = true
    )]
    pub(crate) connections: NonZeroUsize,
    /// What becomes of a mail of which nobody knows whether it was sent: assume-sent, resend or hold
    #[arg(
        long,
        global = true,
        value_name = "RULE",
        default_value = "assume-sent"
    )]
    pub(crate) on_unknown: OnUnknown,
    /// Refuse a file with bad rows, and send nothing
    #[arg(long, global = true)]
    pub(crate) strict: bool,
    /// The last line of stdout is the final status as one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

const EXIT_CODES: &str = "\
Exit codes: 0 completed, or ended gracefully · 2 bad input, nothing submitted · 3 left deferred or paused · 4 halted · \
5 cancelled · 130 stopped at once by a second signal · 1 anything else";
