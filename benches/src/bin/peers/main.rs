//! Sends mails as somebody else does, for comparison; see the program `compare`.
//!
//! `peers NAME RELAY CONNECTIONS MAILS BYTES`

mod lettre_pool;
mod mail_send_tasks;
mod ours;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use benches::Failure;
use benches::contest::{Contender, Job};
use tokio::runtime::Builder;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, relay, connections, mails, bytes] = words.as_slice() else {
        return Err("peers NAME RELAY CONNECTIONS MAILS BYTES".into());
    };
    let job = Job {
        relay: relay.parse::<SocketAddr>()?,
        connections: connections.parse()?,
        mails: mails.parse()?,
        bytes: bytes.parse()?,
    };
    // Ours on one thread, as `campaign`; theirs as their own examples.
    let (one, many) = (Builder::new_current_thread, Builder::new_multi_thread);
    match name.parse()? {
        Contender::Transport { overlap } => one()
            .enable_all()
            .build()?
            .block_on(ours::send(job, overlap)),
        Contender::Lettre => many()
            .enable_all()
            .build()?
            .block_on(lettre_pool::send(job)),
        Contender::MailSend => many()
            .enable_all()
            .build()?
            .block_on(mail_send_tasks::send(job)),
        other => Err(format!("{other} is a program of its own").into()),
    }
}

/// Text of this length, in lines.
fn text(bytes: usize) -> String {
    let line = "The quick brown fox jumps over the lazy dog, and again and again.\r\n";
    line.repeat(bytes.div_ceil(line.len()))
}

/// The mails that are still to be sent.
#[derive(Debug)]
struct Countdown(AtomicU64);

impl Countdown {
    fn new(mails: u64) -> Self {
        Self(AtomicU64::new(mails))
    }

    fn take(&self) -> Option<u64> {
        let less = |left: u64| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .ok()
    }
}
