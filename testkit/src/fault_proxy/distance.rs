//! A long way between client and server, and how often it is gone.

use std::{
    future::ready,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};

use super::cut::Way;
use crate::real_time::{now, sleep};

/// As much as a connection holds under way in one direction, in pieces and in bytes.
const PIECES: usize = 1_024;
const BYTES: usize = 256 * 1024;

/// Who has spoken last on a connection. The turns of all connections are counted together.
#[derive(Debug)]
pub(super) struct Talk {
    last: Mutex<Way>,
    turns: Arc<AtomicU64>,
}

impl Talk {
    /// Nobody has said anything yet, so whoever is first answers nobody.
    pub(super) fn new(turns: Arc<AtomicU64>) -> Self {
        Self {
            last: Mutex::new(Way::ToServer),
            turns,
        }
    }

    pub(super) fn spoken(&self, way: Way) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if way == Way::ToServer && *last == Way::ToClient {
            self.turns.fetch_add(1, Ordering::Relaxed);
        }
        *last = way;
    }
}

/// What comes over a long way, and what has to run for it to come.
pub(super) type Arrival<'a> = (
    Box<dyn AsyncRead + Unpin + Send + 'a>,
    Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>,
);

/// Each piece comes `latency` after it was sent. As on a real way, many are on it at the same time.
pub(super) fn late<'a>(from: impl AsyncRead + Unpin + Send + 'a, latency: Duration) -> Arrival<'a> {
    if latency.is_zero() {
        return (Box::new(from), Box::pin(ready(Ok(()))));
    }
    let (arrived, arriving) = tokio::io::duplex(BYTES);
    (Box::new(arrived), Box::pin(travel(from, arriving, latency)))
}

async fn travel(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    latency: Duration,
) -> io::Result<()> {
    let (way, mut end_of_way) = mpsc::channel(PIECES);
    let set_out = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            let piece = (now() + latency, buffer[..count].to_vec());
            if way.send(piece).await.is_err() || count == 0 {
                return Ok(());
            }
        }
    };
    let arrive = async {
        while let Some((due, piece)) = end_of_way.recv().await {
            sleep(due.saturating_duration_since(now())).await;
            if piece.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&piece).await?;
        }
        Ok(())
    };
    tokio::try_join!(set_out, arrive).map(drop)
}
