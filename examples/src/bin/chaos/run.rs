//! One run after another.

use std::time::Duration;

use fastrand::Rng;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::OnUnknown;

use crate::Fallible;
use crate::args::{Args, Trouble};
use crate::crew::Crew;
use crate::scene::Scene;
use crate::verdict::{HEAD, Verdict};
use crate::{leftovers, record, trouble};

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Whether every promise was kept in every run.
pub(crate) async fn all(args: &Args) -> Fallible<bool> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!(
        "{} recipients in {} campaigns, {} workers, seed {seed}",
        args.recipients, args.campaigns, args.workers
    );
    println!("{HEAD}");
    let troubles = or(&args.trouble, &Trouble::ALL);
    let rules = or(
        &args.on_unknown,
        &[OnUnknown::AssumeSent, OnUnknown::Resend],
    );
    let mut kept = true;
    for &kind in troubles {
        for &rule in rules {
            let verdict = one(args, kind, rule, seed).await?;
            println!("{verdict}");
            println!("          left: {}", verdict.left.join(", "));
            for violation in &verdict.violations {
                println!("VIOLATION (seed {seed}): {violation}");
            }
            kept &= verdict.violations.is_empty();
        }
    }
    println!(
        "{}",
        if kept {
            "every promise was kept"
        } else {
            "promises were broken"
        }
    );
    Ok(kept)
}

fn or<'a, T>(given: &'a [T], all: &'a [T]) -> &'a [T] {
    if given.is_empty() { all } else { given }
}

async fn one(args: &Args, kind: Trouble, rule: OnUnknown, seed: u64) -> Fallible<Verdict> {
    let mut random = Rng::with_seed(seed);
    let mut verdict = Verdict::new(kind, rule);
    let logs = tempfile::tempdir()?;
    let began = SystemClock.monotonic();
    let mut scene = Scene::set(args, kind, rule, seed).await?;
    let may_fail = kind == Trouble::Restarts;
    let mut crew = Crew::start(
        args.workers,
        &scene.orders,
        logs.path().to_owned(),
        may_fail,
    )?;

    verdict.outages = trouble::make(args, kind, &mut scene, &mut crew, &mut random).await?;
    let limit = began + Duration::from_secs(args.within);
    let mut statuses = scene.statuses().await?;
    while !statuses.iter().all(|status| status.state.is_final()) && SystemClock.monotonic() < limit
    {
        SystemClock.sleep(LOOK_EVERY).await;
        crew.look_after()?;
        statuses = scene.statuses().await?;
    }
    verdict.lasted = SystemClock.monotonic() - began;
    crew.dismiss().await?;

    verdict.kills = crew.kills;
    verdict.violations.append(&mut crew.strange);
    verdict.hear_statuses(&statuses);
    let (fates, unasked) = record::fates(&scene).await?;
    verdict.hear(args, &fates);
    if let Some(cap) = args.per_minute {
        for mails in record::minutes(&scene)
            .into_values()
            .filter(|&mails| mails > cap)
        {
            verdict
                .violations
                .push(format!("{mails} mails have started in one minute"));
        }
    }
    if unasked > 0 {
        verdict
            .violations
            .push(format!("{unasked} mails that nobody has asked for"));
    }
    if statuses.iter().all(|status| status.state.is_final()) {
        for campaign in &scene.campaigns {
            scene.mailer.purge(campaign).await?;
        }
        let (left, wrong) = leftovers::keys(&scene).await?;
        verdict.left = left;
        if !wrong.is_empty() {
            verdict
                .violations
                .push(format!("keys are left after purge: {}", wrong.join(", ")));
        }
    }
    if !verdict.violations.is_empty() {
        println!("the workers' logs are in {}", logs.keep().display());
    }
    Ok(verdict)
}
