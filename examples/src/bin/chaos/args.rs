//! The command line.

use std::fmt;

use clap::{Parser, Subcommand, ValueEnum};
use mailer_core::domain::OnUnknown;

/// Sends campaigns through worker processes that are killed, cut off or bereft of their Redis, and checks at the end, by
/// the relay's own record, that nobody was left out and nobody got two mails but whom the ledger reports as unknown.
///
/// Every combination of --trouble and --on-unknown is one run, with servers of its own on loopback. The exit code is 1
/// if any run breaks a promise; what was broken is named, with the seed.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// What goes wrong [default: all four]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) trouble: Vec<Trouble>,
    /// What becomes of a mail of which nobody knows: assume-sent, resend or hold [default: assume-sent,resend]
    #[arg(long, value_delimiter = ',')]
    pub(crate) on_unknown: Vec<OnUnknown>,
    /// Recipients, over all campaigns
    #[arg(long, default_value_t = 20_000)]
    pub(crate) recipients: usize,
    /// Campaigns; all have the same addresses
    #[arg(long, default_value_t = 2)]
    pub(crate) campaigns: usize,
    /// Worker processes
    #[arg(long, default_value_t = 4)]
    pub(crate) workers: usize,
    /// Connections of each worker to the relay
    #[arg(long, default_value_t = 8)]
    pub(crate) connections: usize,
    /// Milliseconds that the relay takes to answer
    #[arg(long, default_value_t = 30)]
    pub(crate) latency: u64,
    /// A limit of so many mails a minute, which must hold as well
    #[arg(long)]
    pub(crate) per_minute: Option<u32>,
    /// Meanwhile a host enqueues single mails, pauses and resumes campaigns, and changes the policy
    #[arg(long, conflicts_with = "per_minute")]
    pub(crate) busy_host: bool,
    /// Milliseconds from one kill to the next
    #[arg(long, default_value_t = 250)]
    pub(crate) kill_every: u64,
    /// Seconds of kills and restarts; after that all are left in peace
    #[arg(long, default_value_t = 60)]
    pub(crate) trouble_for: u64,
    /// Seconds that a run may take until all campaigns are complete
    #[arg(long, default_value_t = 1_500)]
    pub(crate) within: u64,
    /// How many times faster than the real clock the store's clock goes: leases, suspicion and outages are that much
    /// shorter. At 1 the store reads the server's clock, as in production
    #[arg(long, default_value_t = 1)]
    pub(crate) speed: u32,
    /// Makes the same choices again [default: chosen by chance, and printed]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What the worker processes are started as
    #[command(hide = true)]
    Worker(Orders),
}

/// What a worker process is told.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Orders {
    #[arg(long)]
    pub(crate) redis: String,
    #[arg(long)]
    pub(crate) smtp: String,
    #[arg(long)]
    pub(crate) connections: usize,
    #[arg(long)]
    pub(crate) speed: u32,
    /// Microseconds since 1970: when the fast clock showed the right time.
    #[arg(long)]
    pub(crate) origin: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trouble {
    /// Workers are killed
    Kills,
    /// Workers are killed, and so is the Redis, which keeps an append-only file
    Restarts,
    /// Nobody is killed: connections to Redis are cut, stalled, lost, refused for up to 70 seconds
    Outages,
    /// Workers are frozen, some for longer than a lease, and go on as if nothing had happened
    Freezes,
}

impl Trouble {
    pub(crate) const ALL: [Self; 4] = [Self::Kills, Self::Restarts, Self::Outages, Self::Freezes];
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kills => "kills",
            Self::Restarts => "restarts",
            Self::Outages => "outages",
            Self::Freezes => "freezes",
        })
    }
}
