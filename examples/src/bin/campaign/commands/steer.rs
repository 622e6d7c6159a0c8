//! What changes something: `pause`, `resume`, `cancel`, `purge`, `policy set`, `policy clear`.

use mailer_core::Mailer;
use mailer_core::domain::CampaignId;

use super::ask;
use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::input::PolicyChange;
use crate::output::{json, say};

pub(super) async fn pause(
    mailer: &Mailer,
    options: &Options,
    id: &CampaignId,
) -> Result<Ending, Failure> {
    mailer.pause(id, "campaign", "campaign pause").await?;
    ask::status(mailer, options, id, false).await
}

pub(super) async fn resume(
    mailer: &Mailer,
    options: &Options,
    id: &CampaignId,
) -> Result<Ending, Failure> {
    mailer.resume(id).await?;
    ask::status(mailer, options, id, false).await
}

pub(super) async fn cancel(
    mailer: &Mailer,
    options: &Options,
    id: &CampaignId,
) -> Result<Ending, Failure> {
    mailer.cancel(id).await?;
    ask::status(mailer, options, id, false).await
}

pub(super) async fn purge(
    mailer: &Mailer,
    options: &Options,
    id: &CampaignId,
) -> Result<Ending, Failure> {
    let left = mailer.purge(id).await?;
    if options.json {
        json(&left)?;
    } else {
        say(format_args!(
            "{id} is forgotten, but for its id: {}",
            left.counts
        ))?;
    }
    Ok(Ending::Done)
}

pub(super) async fn set_policy(mailer: &Mailer, options: &Options) -> Result<Ending, Failure> {
    PolicyChange::of(options)?.store(mailer).await?;
    ask::policy(mailer, options).await
}

pub(super) async fn clear_policy(mailer: &Mailer) -> Result<Ending, Failure> {
    mailer.clear_policy().await?;
    say("no policy is set: nothing is sent until one is")?;
    Ok(Ending::Done)
}
