//! How often a mail waits for the way to the relay and back, on a kept connection; and what one connection then carries.
//!
//! `cargo run --release -p benches --bin round_trips -- [ONE WAY IN MS] [CONTENDER...]`
//!
//! Each sends over one connection through a proxy that passes every byte on later, into an smtp-sink. What 40 mails take
//! more than 10 is what 30 mails take on a connection that is open already.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::time::Duration;

use benches::Failure;
use benches::contest::{Contender, Contest, Job, StoreKind};
use testkit::{FaultProxy, Sink};

const FEW: u64 = 10;
const MORE: u64 = 40;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let one_way = words.next().map_or(Ok(20), |word| word.parse())?;
    let one_way = Duration::from_millis(one_way);
    let mut contenders = words
        .map(|word| word.parse())
        .collect::<Result<Vec<Contender>, _>>()?;
    if contenders.is_empty() {
        contenders = vec![
            Contender::Transport { overlap: true },
            Contender::Transport { overlap: false },
            Contender::Engine(StoreKind::Memory),
            Contender::SmtpSource,
            Contender::Nodemailer,
            Contender::MailSend,
            Contender::Lettre,
        ];
    }
    let contest = Contest::prepare(&contenders).await?;
    let sink = Sink::builder().start().await?;
    println!("one connection, 2 KB, {one_way:?} each way\n");
    println!("| | Round trips a mail | Mails/s |\n|---|---|---|");
    for contender in contenders {
        if let Some(why) = contest.missing(contender) {
            println!("| {contender} | {why} | |");
            continue;
        }
        let (trips, length) = send(&contest, &sink, one_way, contender, FEW).await?;
        let (more_trips, longer) = send(&contest, &sink, one_way, contender, MORE).await?;
        let mails = (MORE - FEW) as f64;
        println!(
            "| {contender} | {:.2} | {:.1} |",
            more_trips.saturating_sub(trips) as f64 / mails,
            mails / longer.saturating_sub(length).as_secs_f64(),
        );
    }
    Ok(())
}

/// The round trips, and how long it took.
async fn send(
    contest: &Contest,
    sink: &Sink,
    one_way: Duration,
    contender: Contender,
    mails: u64,
) -> Result<(u64, Duration), Failure> {
    let network = FaultProxy::start(sink.addr()).await?;
    network.latency(one_way);
    let job = Job {
        relay: network.addr(),
        connections: 1,
        mails,
        bytes: 2_048,
    };
    let length = contest.send(contender, &job).await?;
    Ok((network.round_trips(), length))
}
