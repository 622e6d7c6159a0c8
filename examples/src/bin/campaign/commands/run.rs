//! `run`: submit, then work until the campaign is done.

use std::time::Duration;

use mailer_core::domain::{CampaignId, CampaignState, Reason, Status};
use mailer_core::{Mailer, Worker};

use super::submit::Prepared;
use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::output::{json, note, say};
use crate::progress::Progress;
use crate::relay::Relay;
use crate::stop::Stop;
use crate::store::{StoreUrl, open};
use crate::summary::Summary;

const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn run(options: &Options, no_wait: bool) -> Result<Ending, Failure> {
    let mailer = open(options).await?;
    let prepared = Prepared::read(options)?;
    let relay = Relay::open(options).await?;
    let stop = Stop::on_signals()?;
    let loaded = prepared.submit(&mailer, options.strict).await?;

    let worker = Worker::builder(&mailer)
        .relay("default", relay.transport())
        .build()?;
    let working = worker.run(stop.requested());
    let following = follow(&mailer, &loaded.id, no_wait, &stop);
    let (_drained, followed) = tokio::join!(working, following);
    followed?;

    let status = mailer.status(&loaded.id).await?;
    let summary = Summary {
        status: &status,
        relay: &relay,
        refused: loaded.refused,
        forgets: options.store == StoreUrl::Memory,
    };
    if options.json {
        note(summary);
        json(&status)?;
    } else {
        say(summary)?;
    }
    Ok(Ending::of(&status))
}

/// Shows the campaign until there is nothing more to wait for, then asks the worker to stop.
async fn follow(
    mailer: &Mailer,
    id: &CampaignId,
    no_wait: bool,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut progress = Progress::new();
    let followed = tokio::select! {
        followed = until_over(mailer, id, no_wait, &mut progress) => followed,
        () = stop.requested() => Ok(()),
    };
    progress.end();
    stop.request();
    followed
}

async fn until_over(
    mailer: &Mailer,
    id: &CampaignId,
    no_wait: bool,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut watch = mailer.watch(id, LOOK_EVERY);
    while let Some(status) = watch.next().await? {
        if awaits_our_worker(&status) {
            continue;
        }
        progress.show(&status);
        let is_over = status.state.is_final() || status.state == CampaignState::Halted;
        let waits = matches!(
            status.state,
            CampaignState::Deferred | CampaignState::Paused
        );
        if is_over || (no_wait && waits) {
            break;
        }
    }
    Ok(())
}

/// It waits for a worker only, and ours is about to start.
fn awaits_our_worker(status: &Status) -> bool {
    status.reason_code.as_deref() == Some(Reason::NoWorker.code())
}
