use mailer_core::domain::{Failure, OnUnknown};
use mailer_core::queue::{HoldChange, Settled};
use proptest::prelude::*;

pub(crate) const CAMPAIGNS: usize = 3;
pub(crate) const WORKERS: u64 = 3;

#[derive(Debug, Clone)]
pub(crate) enum Command {
    Submit {
        campaign: usize,
        recipients: usize,
    },
    Claim {
        worker: u64,
        repeated: bool,
    },
    Begin {
        claim: usize,
        from: usize,
        n: usize,
        repeated: bool,
    },
    Settle {
        claim: usize,
        place: usize,
        settled: Settled,
    },
    Tick {
        worker: u64,
        renews: bool,
    },
    Hold {
        campaign: usize,
        change: HoldChange,
    },
    Policy {
        cap: u32,
        hours: bool,
    },
    Pass {
        seconds: u64,
    },
    Jump {
        minutes: i64,
    },
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let settled = prop_oneof![
        6 => Just(Settled::Sent),
        1 => Just(Settled::Failed(Failure::Recipient)),
        1 => Just(Settled::Retry { after: None }),
        2 => Just(Settled::NotStarted),
        1 => Just(Settled::Returned),
        2 => Just(Settled::Troubled),
        1 => Just(Settled::Unknown { rule: OnUnknown::AssumeSent }),
        1 => Just(Settled::Unknown { rule: OnUnknown::Resend }),
        1 => Just(Settled::Skipped),
        1 => Just(Settled::Suppressed),
    ];
    let change = prop_oneof![
        4 => Just(HoldChange::Pause { by: "p".to_owned(), why: String::new() }),
        6 => Just(HoldChange::Resume),
        1 => Just(HoldChange::Cancel),
    ];
    let command = prop_oneof![
        3 => (0..CAMPAIGNS, 1..40usize).prop_map(|(campaign, recipients)| Command::Submit { campaign, recipients }),
        8 => (0..WORKERS, prop::bool::weighted(0.1)).prop_map(|(worker, repeated)| Command::Claim { worker, repeated }),
        16 => (0..8usize, 0..8usize, 1..6usize, prop::bool::weighted(0.2))
            .prop_map(|(claim, from, n, repeated)| Command::Begin { claim, from, n, repeated }),
        16 => (0..8usize, 0..12usize, settled).prop_map(|(claim, place, settled)| Command::Settle { claim, place, settled }),
        8 => (0..WORKERS, prop::bool::weighted(0.7)).prop_map(|(worker, renews)| Command::Tick { worker, renews }),
        2 => (0..CAMPAIGNS, change).prop_map(|(campaign, change)| Command::Hold { campaign, change }),
        1 => (1..30u32, prop::bool::weighted(0.2)).prop_map(|(cap, hours)| Command::Policy { cap, hours }),
        8 => prop_oneof![0..3u64, 3..30u64, 60..4000u64].prop_map(|seconds| Command::Pass { seconds }),
        1 => (-70..70i64).prop_map(|minutes| Command::Jump { minutes }),
    ];
    prop::collection::vec(command, 1..150)
}
