//! `chaos` breaks worker processes, their Redis and their network while campaigns go out, and then holds the ledger
//! against the relay's own record.

#![expect(clippy::print_stdout, reason = "a command that reports to a person")]

mod args;
mod clock;
mod crew;
mod host;
mod leftovers;
mod record;
mod run;
mod scene;
mod trouble;
mod verdict;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// What can go wrong in the experiment itself.
type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.command {
        Some(Command::Worker(orders)) => worker::work(orders).await.map(|()| true),
        None => run::all(&args).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}
