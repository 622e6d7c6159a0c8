//! What may be asked of a store, in any order.

use mailer_core::domain::{Failure, Lane, OnUnknown};
use mailer_core::queue::{HoldChange, Resolution, Settled};
use proptest::prelude::*;

pub(crate) const CAMPAIGNS: usize = 5;
pub(crate) const WORKERS: u64 = 3;

#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Creates a campaign and adds its pages from the one given on, by one of two loaders; seals it or not.
    Load {
        campaign: usize,
        recipients: usize,
        loader: u64,
        seal: bool,
    },
    Enqueue {
        lane: Lane,
        key: u8,
        expires: bool,
    },
    Ticket {
        lane: Lane,
        key: u8,
    },
    Claim {
        worker: u64,
        again: bool,
        room: usize,
    },
    /// Some deliveries of one or two claims, in one batch.
    Begin {
        claims: [usize; 2],
        from: usize,
        n: usize,
        call: Call,
        limited: bool,
        old_policy: bool,
    },
    Settle {
        claim: usize,
        from: usize,
        settled: Vec<Settled>,
        defer: Option<usize>,
        foreign: bool,
    },
    Tick {
        worker: u64,
        renews: bool,
        present: bool,
    },
    Hold {
        campaign: usize,
        change: HoldChange,
    },
    Halt {
        campaign: usize,
        unless: bool,
    },
    Defer {
        defer: usize,
    },
    Resume {
        scope: usize,
    },
    Policy {
        policy: usize,
        cap: u32,
    },
    ClearPolicy,
    Reserve {
        id: u8,
        n: u32,
        lane: Lane,
    },
    Refund {
        id: u8,
        unused: u32,
    },
    Resolve {
        campaign: usize,
        recipient: usize,
        resolution: Resolution,
    },
    Purge {
        campaign: usize,
    },
    Pass {
        millis: u64,
    },
    /// Both ways, less than the ten minutes for which limiters remember.
    Jump {
        seconds: i64,
    },
}

/// How a begin call is numbered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call {
    Next,
    Again,
    Earlier,
}

pub(crate) fn policy() -> impl Strategy<Value = Command> {
    (0..6usize, 0..12u32).prop_map(|(policy, cap)| Command::Policy { policy, cap })
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let lane = prop::sample::select(Lane::ALL.to_vec());
    let settled = prop_oneof![
        6 => Just(Settled::Sent),
        1 => Just(Settled::Failed(Failure::Recipient)),
        2 => Just(Settled::Failed(Failure::PolicyBlock)),
        1 => Just(Settled::Failed(Failure::Message)),
        1 => Just(Settled::Retry { after: None }),
        1 => Just(Settled::Retry { after: Some(std::time::Duration::from_secs(3_000)) }),
        2 => Just(Settled::NotStarted),
        1 => Just(Settled::Returned),
        2 => Just(Settled::Troubled),
        1 => Just(Settled::Unknown { rule: OnUnknown::AssumeSent }),
        1 => Just(Settled::Unknown { rule: OnUnknown::Resend }),
        1 => Just(Settled::Skipped),
        1 => Just(Settled::Suppressed),
    ];
    let change = prop_oneof![
        3 => Just(HoldChange::Pause { by: "p".to_owned(), why: "w".to_owned() }),
        6 => Just(HoldChange::Resume),
        1 => Just(HoldChange::Cancel),
    ];
    let call = prop_oneof![8 => Just(Call::Next), 3 => Just(Call::Again), 1 => Just(Call::Earlier)];
    let resolution = prop_oneof![Just(Resolution::Sent), Just(Resolution::Resend)];
    let steer = prop_oneof![
        4 => (0..CAMPAIGNS, change).prop_map(|(campaign, change)| Command::Hold { campaign, change }),
        1 => (0..CAMPAIGNS, any::<bool>()).prop_map(|(campaign, unless)| Command::Halt { campaign, unless }),
        4 => (0..12usize).prop_map(|defer| Command::Defer { defer }),
        2 => (0..6usize).prop_map(|scope| Command::Resume { scope }),
        4 => policy(),
        1 => Just(Command::ClearPolicy),
        2 => (0..CAMPAIGNS, 0..20usize, resolution)
            .prop_map(|(campaign, recipient, resolution)| Command::Resolve { campaign, recipient, resolution }),
        1 => (0..CAMPAIGNS).prop_map(|campaign| Command::Purge { campaign }),
    ];
    let command = prop_oneof![
        4 => (0..CAMPAIGNS, 1..30usize, 1..3u64, prop::bool::weighted(0.8))
            .prop_map(|(campaign, recipients, loader, seal)| Command::Load { campaign, recipients, loader, seal }),
        3 => (lane.clone(), 0..6u8, prop::bool::weighted(0.2))
            .prop_map(|(lane, key, expires)| Command::Enqueue { lane, key, expires }),
        1 => (lane.clone(), 0..6u8).prop_map(|(lane, key)| Command::Ticket { lane, key }),
        10 => (0..WORKERS, prop::bool::weighted(0.1), 0..5usize)
            .prop_map(|(worker, again, room)| Command::Claim { worker, again, room }),
        16 => ([0..6usize, 0..6usize], 0..6usize, 1..8usize, call, prop::bool::weighted(0.9), prop::bool::weighted(0.05))
            .prop_map(|(claims, from, n, call, limited, old_policy)| {
                Command::Begin { claims, from, n, call, limited, old_policy }
            }),
        16 => (0..6usize, 0..10usize, prop::collection::vec(settled, 1..8), prop::option::weighted(0.1, 0..12usize), prop::bool::weighted(0.05))
            .prop_map(|(claim, from, settled, defer, foreign)| Command::Settle { claim, from, settled, defer, foreign }),
        8 => (0..WORKERS, prop::bool::weighted(0.6), prop::bool::weighted(0.9))
            .prop_map(|(worker, renews, present)| Command::Tick { worker, renews, present }),
        6 => steer,
        2 => (0..6u8, 0..8u32, lane).prop_map(|(id, n, lane)| Command::Reserve { id, n, lane }),
        1 => (0..6u8, 0..8u32).prop_map(|(id, unused)| Command::Refund { id, unused }),
        10 => prop_oneof![3 => 0..3_000u64, 3 => 3_000..30_000u64, 2 => 60_000..4_000_000u64, 1 => Just(90_000_000u64)]
            .prop_map(|millis| Command::Pass { millis }),
        1 => (-500..100i64).prop_map(|seconds| Command::Jump { seconds }),
    ];
    prop::collection::vec(command, 1..120)
}
