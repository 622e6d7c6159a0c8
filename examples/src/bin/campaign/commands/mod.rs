//! One module for each group of commands.

mod ask;
mod run;
mod simulate;
mod steer;
mod submit;
mod test_mail;
#[cfg(test)]
mod tests;
mod work;

use crate::args::{Args, Command, PolicyCommand};
use crate::ending::Ending;
use crate::failure::Failure;
use crate::store::open_shared;

pub(crate) async fn run(args: &Args) -> Result<Ending, Failure> {
    let options = &args.options;
    match &args.command {
        None => run::run(options, false).await,
        Some(Command::Run { no_wait }) => run::run(options, *no_wait).await,
        Some(Command::Submit) => {
            let mailer = open_shared(options, "submit").await?;
            submit::submit(&mailer, options).await
        }
        Some(Command::List) => ask::list(&open_shared(options, "list").await?, options).await,
        Some(Command::Work { until_idle }) => {
            let mailer = open_shared(options, "work").await?;
            work::work(&mailer, options, *until_idle).await
        }
        Some(Command::Status { id, watch }) => {
            let mailer = open_shared(options, "status").await?;
            ask::status(&mailer, options, id, *watch).await
        }
        Some(Command::Pause { id }) => {
            steer::pause(&open_shared(options, "pause").await?, options, id).await
        }
        Some(Command::Resume { id }) => {
            steer::resume(&open_shared(options, "resume").await?, options, id).await
        }
        Some(Command::Cancel { id }) => {
            steer::cancel(&open_shared(options, "cancel").await?, options, id).await
        }
        Some(Command::Purge { id }) => {
            steer::purge(&open_shared(options, "purge").await?, options, id).await
        }
        Some(Command::Test { to }) => test_mail::test(options, to).await,
        Some(Command::Policy { what }) => {
            let mailer = open_shared(options, "policy").await?;
            match what {
                PolicyCommand::Show => ask::policy(&mailer, options).await,
                PolicyCommand::Set => steer::set_policy(&mailer, options).await,
                PolicyCommand::Clear => steer::clear_policy(&mailer).await,
            }
        }
        Some(Command::Simulate { count, start }) => {
            simulate::simulate(options, *count, *start).await
        }
    }
}
