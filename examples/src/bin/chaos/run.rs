//! One run after another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::OnUnknown;

use crate::Fallible;
use crate::args::{Args, Trouble};
use crate::crew::Crew;
use crate::host::Host;
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
            if !verdict.left.is_empty() {
                println!("          left: {}", verdict.left.join(", "));
            }
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
    let mut host = Host::new(&scene, rule);
    let may_fail = kind == Trouble::Restarts;
    let folder = logs.path().to_owned();
    let mut crew = Crew::start(args.workers, &scene.orders, folder, may_fail)?;

    let over = AtomicBool::new(!args.busy_host);
    let trouble = async {
        let made = trouble::make(args, kind, &mut scene, &mut crew, &mut random).await;
        over.store(true, Ordering::Relaxed);
        made
    };
    let (outages, ()) = tokio::join!(trouble, host.act(&over, seed));
    verdict.outages = outages?;
    if args.busy_host {
        host.calm_down().await?;
    }
    let until = began + Duration::from_secs(args.within);
    let is_over = await_end(&scene, &host, &mut crew, until).await?;
    verdict.lasted = SystemClock.monotonic() - began;
    crew.dismiss().await?;

    verdict.kills = crew.kills;
    verdict.violations.append(&mut crew.strange);
    judge(args, &scene, &host, &mut verdict).await?;
    if is_over {
        purge(args, &scene, &mut verdict).await?;
    }
    if !verdict.violations.is_empty() {
        println!("the workers' logs are in {}", logs.keep().display());
    }
    Ok(verdict)
}

/// Whether everything came to its end in time.
async fn await_end(scene: &Scene, host: &Host, crew: &mut Crew, until: Duration) -> Fallible<bool> {
    loop {
        let statuses = scene.statuses().await?;
        let all_final = statuses.iter().all(|status| status.state.is_final());
        if all_final && host.open().await? == 0 {
            return Ok(true);
        }
        if SystemClock.monotonic() > until {
            return Ok(false);
        }
        SystemClock.sleep(LOOK_EVERY).await;
        crew.look_after()?;
    }
}

async fn judge(args: &Args, scene: &Scene, host: &Host, verdict: &mut Verdict) -> Fallible<()> {
    verdict.hear_statuses(&scene.statuses().await?);
    let (fates, unasked) = record::fates(scene, host).await?;
    verdict.hear(args, &fates);
    let open = host.open().await?;
    for (count, what) in [
        (unasked, "mails that nobody has asked for"),
        (open, "single mails are stuck"),
    ] {
        if count > 0 {
            verdict.violations.push(format!("{count} {what}"));
        }
    }
    let cap = args.per_minute.unwrap_or(u32::MAX);
    let minutes = record::minutes(scene).into_values();
    for mails in minutes.filter(|&mails| mails > cap) {
        let violation = format!("{mails} mails have started in one minute");
        verdict.violations.push(violation);
    }
    Ok(())
}

async fn purge(args: &Args, scene: &Scene, verdict: &mut Verdict) -> Fallible<()> {
    for campaign in &scene.campaigns {
        scene.mailer.purge(campaign).await?;
    }
    // Single mails are no campaign's: they age out by themselves.
    if !args.busy_host {
        let (left, wrong) = leftovers::keys(scene).await?;
        verdict.left = left;
        for key in wrong {
            let violation = format!("a key is left after the purge: {key}");
            verdict.violations.push(violation);
        }
    }
    Ok(())
}
