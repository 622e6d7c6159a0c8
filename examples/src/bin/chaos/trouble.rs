//! What goes wrong, by the choices of one seed.

use std::time::Duration;

use chrono::TimeDelta;
use fastrand::Rng;
use mailer_core::clock::{Clock as _, SystemClock};
use testkit::FaultProxy;

use crate::Fallible;
use crate::args::{Args, Trouble};
use crate::clock::real;
use crate::crew::Crew;
use crate::scene::Scene;

/// Longer than a lease.
const LONG: TimeDelta = TimeDelta::seconds(70);
/// Longer than others wait for who has lost a lease.
const SUSPICION: TimeDelta = TimeDelta::seconds(20);
/// So that it ends, even if no mail leaves.
const MOST_OUTAGES: u64 = 300;

/// Makes trouble until its time is over, or all mails are out. Says how often Redis or the network failed.
pub(crate) async fn make(
    args: &Args,
    trouble: Trouble,
    scene: &mut Scene,
    crew: &mut Crew,
    random: &mut Rng,
) -> Fallible<u64> {
    match trouble {
        Trouble::Kills => kill(args, scene, crew, random, false).await,
        Trouble::Restarts => kill(args, scene, crew, random, true).await,
        Trouble::Outages => break_network(args, scene, crew, random).await,
        Trouble::Freezes => freeze(args, scene, crew, random).await,
    }
}

/// Kills a worker at every beat, and Redis now and then: it stays away for some beats.
async fn kill(
    args: &Args,
    scene: &mut Scene,
    crew: &mut Crew,
    random: &mut Rng,
    with_redis: bool,
) -> Fallible<u64> {
    let beat = Duration::from_millis(args.kill_every);
    let beats = args.trouble_for * 1_000 / args.kill_every.max(1);
    let mut restarts = 0;
    let mut redis_fails_at = random.u64(8..24);
    let mut redis_returns_at = None;
    for now in 0..beats {
        SystemClock.sleep(beat).await;
        crew.look_after()?;
        crew.kill(random.usize(..args.workers)).await?;
        if redis_returns_at.is_some_and(|at| now >= at) {
            scene.redis.start().await?;
            redis_returns_at = None;
            redis_fails_at = now + random.u64(8..24);
        } else if with_redis && redis_returns_at.is_none() && now >= redis_fails_at {
            scene.redis.kill();
            restarts += 1;
            redis_returns_at = Some(now + random.u64(1..6));
        }
    }
    scene.redis.start().await?;
    Ok(restarts)
}

/// Breaks the network between workers and Redis again and again: by chance and briefly, and three times for longer than
/// a lease: nobody can connect; nothing comes through; everything comes through when all have given it up.
async fn break_network(
    args: &Args,
    scene: &mut Scene,
    crew: &mut Crew,
    random: &mut Rng,
) -> Fallible<u64> {
    let all = args.recipients as u64;
    let mut long_ones = [
        (all / 4, Fault::Refuse),
        (all / 2, Fault::Lose),
        (all * 3 / 4, Fault::Stall),
    ]
    .into_iter()
    .peekable();
    let mut outages = 0;
    while outages < MOST_OUTAGES && (long_ones.peek().is_some() || scene.relay.mail_count() < all) {
        SystemClock.sleep(millis(random, 300..1_500)).await;
        crew.look_after()?;
        let sent = scene.relay.mail_count();
        let (fault, lasts) = match long_ones.next_if(|(at, _)| sent >= *at) {
            Some((_, fault)) => (fault, real(LONG, args.speed)),
            None => (
                random.choice(Fault::ALL).unwrap_or(Fault::Cut),
                millis(random, 50..3_000) / args.speed,
            ),
        };
        fault.begin(&mut scene.network).await;
        SystemClock.sleep(lasts).await;
        scene.network.pass().await?;
        outages += 1;
    }
    Ok(outages)
}

/// Freezes workers by chance and briefly, and twice for so long that their pages are given to others.
async fn freeze(args: &Args, scene: &Scene, crew: &mut Crew, random: &mut Rng) -> Fallible<u64> {
    let all = args.recipients as u64;
    let mut long_ones = [all / 4, all / 2].into_iter().peekable();
    let mut freezes = 0;
    while freezes < MOST_OUTAGES && (long_ones.peek().is_some() || scene.relay.mail_count() < all) {
        SystemClock.sleep(millis(random, 300..1_500)).await;
        crew.look_after()?;
        let lasts = match long_ones.next_if(|&at| scene.relay.mail_count() >= at) {
            Some(_) => {
                // What was in flight is in doubt, as after a kill.
                crew.kills += 1;
                real(LONG + SUSPICION, args.speed)
            }
            None => millis(random, 50..10_000) / args.speed,
        };
        crew.freeze(random.usize(..args.workers), lasts).await?;
        freezes += 1;
        if scene
            .statuses()
            .await?
            .iter()
            .all(|status| status.state.is_final())
        {
            break;
        }
    }
    Ok(freezes)
}

/// How a network fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Cut,
    Refuse,
    Lose,
    Stall,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Cut, Self::Refuse, Self::Lose, Self::Stall];

    async fn begin(self, network: &mut FaultProxy) {
        match self {
            Self::Cut => network.cut_each_after(1_000..50_000),
            Self::Refuse => network.refuse().await,
            Self::Lose => return network.black_hole(),
            Self::Stall => return network.stall(),
        }
        network.cut().await;
    }
}

fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}
