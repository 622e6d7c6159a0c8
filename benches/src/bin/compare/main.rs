//! Mails per second of those who send mails, into one smtp-sink, taking turns.
//!
//! `cargo run --release -p benches --bin compare -- [--help]`; the script `bench-smtp` builds what it needs.
//!
//! What is timed is each program from its start to its end: for the engine that includes reading the CSV file and storing
//! the recipients.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

mod table;

use std::fs;
use std::str::FromStr;
use std::time::Duration;

use benches::Failure;
use benches::contest::{Contender, Contest, Job, StoreKind};
use clap::Parser;
use table::Table;
use testkit::Sink;

#[derive(Debug, Parser)]
struct Args {
    /// Who takes part
    #[arg(default_values_t = [
        Contender::SmtpSource,
        Contender::Transport { overlap: true },
        Contender::Engine(StoreKind::Memory),
        Contender::Engine(StoreKind::RedisNoAof),
        Contender::Engine(StoreKind::RedisAlways),
        Contender::Lettre,
        Contender::MailSend,
        Contender::Nodemailer,
    ])]
    contenders: Vec<Contender>,
    /// Connections and octets of text, of each comparison
    #[arg(
        long,
        value_name = "NxBYTES",
        value_delimiter = ',',
        default_value = "1x2048,4x2048,16x2048,50x2048,16x51200"
    )]
    at: Vec<Setting>,
    /// Turns of each, of which the middle one counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Mails of each turn [default: as many as take two seconds]
    #[arg(long)]
    mails: Option<u64>,
}

/// What is the same for all.
#[derive(Debug, Clone, Copy)]
struct Setting {
    connections: usize,
    bytes: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let contest = Contest::prepare(&args.contenders).await?;
    let mut able = Vec::new();
    for &contender in &args.contenders {
        match contest.missing(contender) {
            None => able.push(contender),
            Some(why) => println!("{contender} does not take part: {why}"),
        }
    }
    println!("load average before: {}", load());
    let sink = Sink::builder().start().await?;
    let mut table = Table::new(&able);
    for &setting in &args.at {
        let rates = compare(&contest, &sink, &able, setting, &args).await?;
        table.column(&setting.to_string(), rates);
    }
    println!("load average after: {}\n\n{table}", load());
    Ok(())
}

/// The rates of each contender, turn by turn.
async fn compare(
    contest: &Contest,
    sink: &Sink,
    contenders: &[Contender],
    setting: Setting,
    args: &Args,
) -> Result<Vec<Vec<f64>>, Failure> {
    let mut jobs = Vec::new();
    for &contender in contenders {
        let mut job = Job {
            relay: sink.addr(),
            connections: setting.connections,
            mails: args.mails.unwrap_or_default(),
            bytes: setting.bytes,
        };
        if args.mails.is_none() {
            job.mails = two_seconds_of(contest, contender, job).await?;
        }
        jobs.push((contender, job));
    }
    let mut rates = vec![Vec::new(); jobs.len()];
    for round in 1..=args.rounds {
        print!("{setting}, round {round}:");
        for ((contender, job), rates) in jobs.iter().zip(&mut rates) {
            let length = contest.send(*contender, job).await?;
            let rate = job.mails as f64 / length.as_secs_f64();
            print!(" {contender} {rate:.0}");
            rates.push(rate);
        }
        println!();
    }
    Ok(rates)
}

/// As many mails as it sends in about that time, found with ever more of them.
async fn two_seconds_of(
    contest: &Contest,
    contender: Contender,
    mut job: Job,
) -> Result<u64, Failure> {
    let enough = Duration::from_millis(400);
    job.mails = 20.max(job.connections as u64);
    loop {
        let length = contest.send(contender, &job).await?;
        if length >= enough || job.mails > 1_000_000 {
            let rate = job.mails as f64 / length.as_secs_f64();
            return Ok((2.0 * rate) as u64);
        }
        job.mails *= 4;
    }
}

/// Of the last minute; figures above one were taken beside other work.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let above_zero = |number: &str| number.parse().ok().filter(|&n: &usize| n > 0);
        let both = text.split_once('x');
        let both = both.and_then(|(n, bytes)| Some((above_zero(n)?, above_zero(bytes)?)));
        let (connections, bytes) = both.ok_or("not two numbers above zero, as 16x2048")?;
        Ok(Self { connections, bytes })
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} x {} KB",
            self.connections,
            self.bytes.div_ceil(1_024)
        )
    }
}
