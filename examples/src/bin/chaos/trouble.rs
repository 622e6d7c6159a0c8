//! What goes wrong, by the choices of one seed.

use std::time::Duration;

use chrono::TimeDelta;
use fastrand::Rng;
use mailer_core::clock::{Clock as _, SystemClock};

use crate::Fallible;
use crate::args::{Args, Trouble};
use crate::clock::real;
use crate::crew::Crew;
use crate::scene::Scene;

/// Longer than a lease.
const LONG: TimeDelta = TimeDelta::seconds(70);

/// Makes trouble until its time is over or all mails are out. Says how often Redis or the network failed.
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

/// Breaks the network between workers and Redis again and again: briefly by chance, and for long at two thirds.
async fn break_network(
    args: &Args,
    scene: &mut Scene,
    crew: &mut Crew,
    random: &mut Rng,
) -> Fallible<u64> {
    let all = args.recipients as u64;
    let mut long_ones = [all / 3, all * 2 / 3].into_iter().peekable();
    let mut outages = 0;
    while scene.relay.mail_count() < all * 9 / 10 && outages < 200 {
        SystemClock.sleep(millis(random, 300..1_500)).await;
        crew.look_after()?;
        let long = long_ones
            .next_if(|&at| scene.relay.mail_count() >= at)
            .is_some();
        let network = &mut scene.network;
        let lasts = if long {
            real(LONG, args.speed)
        } else {
            millis(random, 50..3_000) / args.speed
        };
        match random.u8(..5) {
            0 => network.cut_each_after(1_000..50_000),
            1 => network.stall(),
            2 => network.black_hole(),
            _ => network.refuse().await,
        }
        if random.bool() {
            network.cut().await;
        }
        SystemClock.sleep(lasts).await;
        network.pass().await?;
        outages += 1;
    }
    scene.network.pass().await?;
    Ok(outages)
}

fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}
