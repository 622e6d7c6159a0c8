//! Launchers of `redis-server`: alone, as a Cluster, and behind sentinels.

mod cluster;
mod sentinel;
mod server;
mod slot_move;
mod wire;

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;
pub use server::{Fsync, RedisServer, RedisServerBuilder};
pub use slot_move::SlotMove;

use std::{io, time::Duration};

use crate::{
    process::{LaunchError, Program},
    real_time::{now, sleep},
};

const REDIS_SERVER: Program = Program {
    name: "redis-server",
    package: "redis-server",
    has_group: false,
    variable: "REDIS_SERVER",
};
/// How long servers may take until they agree.
const AGREE_LIMIT: Duration = Duration::from_secs(20);
const AGREE_PAUSE: Duration = Duration::from_millis(20);

fn io_error(source: io::Error) -> LaunchError {
    LaunchError::Io {
        program: REDIS_SERVER.name,
        source,
    }
}

/// Waits until the question is answered with yes.
async fn agreed(what: &str, question: impl AsyncFn() -> io::Result<bool>) -> io::Result<()> {
    let started = now();
    while !question().await.unwrap_or(false) {
        if started.elapsed() > AGREE_LIMIT {
            let text = format!("{what}: not within {AGREE_LIMIT:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        sleep(AGREE_PAUSE).await;
    }
    Ok(())
}
