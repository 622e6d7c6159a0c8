use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::unconstrained;

use crate::deadline::{Deadline, TimedOut};
use crate::reply::{Inbox, Malformed, Reply};
use crate::stream::Stream;

/// Our end of a connection: bytes out, replies in, and a deadline on every wait.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    inbox: Inbox,
    deadline: Deadline,
}

/// Why no reply came, or why not all bytes could leave.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The relay closed the connection.
    #[error("the relay closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// The deadline is over.
    #[error("nothing happened for {0:?}")]
    TimedOut(Duration),
    /// What came is no reply.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Not all bytes could leave.
#[derive(Debug)]
pub(crate) struct Unwritten {
    /// How many of them may have left.
    pub(crate) written: usize,
    pub(crate) fault: Fault,
}

impl Fault {
    /// Whether the connection is gone, as opposed to slow or talking nonsense.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed | Self::Broken(_))
    }

    fn of(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Closed
        } else {
            Self::Broken(error)
        }
    }
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            inbox: Inbox::default(),
            deadline: Deadline::new(),
        }
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Writes it all, in one segment if it fits into one.
    pub(crate) async fn write(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Unwritten> {
        let mut written = 0;
        let stream = &mut self.stream;
        let all = async {
            while written < bytes.len() {
                match stream.write(&bytes[written..]).await? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    n => written += n,
                }
            }
            stream.flush().await
        };
        let fault = match self.deadline.within(limit, all).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Fault::of(error),
            Err(TimedOut) => Fault::TimedOut(limit),
        };
        Err(Unwritten { written, fault })
    }

    /// The next reply; `limit` is for the whole of it.
    pub(crate) async fn reply(&mut self, limit: Duration) -> Result<Reply<'_>, Fault> {
        let Self {
            stream,
            inbox,
            deadline,
        } = self;
        let whole = async {
            loop {
                if let Some(found) = inbox.find()? {
                    return Ok(found);
                }
                match stream.read_buf(inbox.space()).await {
                    Ok(0) => return Err(Fault::Closed),
                    Ok(_) => {}
                    Err(error) => return Err(Fault::of(error)),
                }
            }
        };
        let found = deadline
            .within(limit, whole)
            .await
            .map_err(|TimedOut| Fault::TimedOut(limit))??;
        Ok(self.inbox.reply(found))
    }

    /// Whether something was read that nobody has taken for a reply yet.
    pub(crate) fn has_unread(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether nothing has come that was not asked for: no reply, and no end of the stream. It does not wait.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        if !self.inbox.is_empty() {
            return false;
        }
        // A task that has done much in one turn would be told that there is nothing, so that others get theirs.
        let mut read = pin!(unconstrained(self.stream.read_buf(self.inbox.space())));
        poll_fn(|context| Poll::Ready(read.as_mut().poll(context).is_pending())).await
    }

    /// Returns when something comes that was not asked for, or `limit` is over.
    ///
    /// # Cancel safety
    /// What has come is kept.
    pub(crate) async fn unasked(&mut self, limit: Duration) -> Result<(), TimedOut> {
        if !self.inbox.is_empty() {
            return Ok(());
        }
        let read = self.stream.read_buf(self.inbox.space());
        self.deadline.within(limit, read).await.map(drop)
    }

    /// Waits for something else than the relay, not longer than `limit`.
    ///
    /// # Cancel safety
    /// That of the future.
    pub(crate) async fn patiently<F: Future>(
        &mut self,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, TimedOut> {
        self.deadline.within(limit, future).await
    }

    /// Closes the connection: the socket is gone when this returns.
    pub(crate) async fn close(&mut self, limit: Duration) {
        // Whatever comes of it, the connection is not used any further.
        let _ = self.deadline.within(limit, self.stream.shutdown()).await;
        self.stream = Stream::Closed;
    }
}
