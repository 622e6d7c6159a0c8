//! Questions: `list`, `status`, `policy show`.

use std::time::Duration;

use mailer_core::Mailer;
use mailer_core::domain::CampaignId;

use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::output::{json, say};
use crate::progress::Progress;

const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn list(mailer: &Mailer, options: &Options) -> Result<Ending, Failure> {
    let campaigns = mailer.list().await?;
    if options.json {
        json(&campaigns)?;
    } else {
        for status in campaigns {
            say(status)?;
        }
    }
    Ok(Ending::Done)
}

/// Without `--watch` an answer is a success, whatever it says.
pub(super) async fn status(
    mailer: &Mailer,
    options: &Options,
    id: &CampaignId,
    watch: bool,
) -> Result<Ending, Failure> {
    if watch {
        let mut progress = Progress::new();
        let mut changes = mailer.watch(id, LOOK_EVERY);
        while let Some(status) = changes.next().await? {
            progress.show(&status);
        }
        progress.end();
    }
    let status = mailer.status(id).await?;
    if options.json {
        json(&status)?;
    } else {
        say(&status)?;
    }
    Ok(if watch {
        Ending::of(&status)
    } else {
        Ending::Done
    })
}

pub(super) async fn policy(mailer: &Mailer, options: &Options) -> Result<Ending, Failure> {
    let stored = mailer.policy().await?;
    if options.json {
        json(&stored)?;
        return Ok(Ending::Done);
    }
    match stored {
        None => say("no policy is set: nothing is sent")?,
        Some(stored) => {
            say(format_args!("version          {}", stored.version))?;
            say(&stored.policy)?;
            for (limit, until) in &stored.retiring {
                say(format_args!("until {until}  {limit} as well"))?;
            }
        }
    }
    Ok(Ending::Done)
}
