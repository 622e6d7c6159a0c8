//! `campaign` sends an e-mail campaign through an SMTP relay, under limits and working hours.

mod args;
mod commands;
mod ending;
mod failure;
mod input;
mod output;
mod progress;
mod relay;
mod stop;
mod store;
mod summary;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;

// One thread does 30,000 mails a second and more; a second one would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    match commands::run(&args).await {
        Ok(ending) => ending.into(),
        Err(failure) => {
            output::note(format_args!("error: {failure}"));
            failure.ending().into()
        }
    }
}
