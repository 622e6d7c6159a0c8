use std::{
    io,
    net::Shutdown,
    time::{Duration, Instant},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::real_time::{now, sleep, within};

const LONGEST_LINE: usize = 16 * 1024;
const READ_SIZE: usize = 16 * 1024;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
/// How long a cut connection still swallows what the client has under way, so that the cut is a FIN and not a RST.
const DRAIN_LIMIT: Duration = Duration::from_millis(200);

/// The server's side of a connection: lines and bytes in, replies out, and every way to break it.
///
/// Replies are collected and leave when more input is needed, as RFC 2920 asks of a server.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    latency: Duration,
    input: Vec<u8>,
    start: usize,
    output: Vec<u8>,
    pub(super) reads: u64,
    pub(super) read_at: Instant,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, latency: Duration) -> Self {
        // Without it a reply may wait 40 ms; a test server that cannot set it still works.
        let _ = stream.set_nodelay(true);
        Self {
            stream: Stream::Plain(stream),
            latency,
            input: Vec::new(),
            start: 0,
            output: Vec::new(),
            reads: 0,
            read_at: now(),
        }
    }

    /// Shakes hands as the TLS server. Clear text already received is dropped, as RFC 3207 demands.
    pub(super) async fn upgrade(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        self.flush().await?;
        self.input.clear();
        self.start = 0;
        let Stream::Plain(plain) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::Error::other("TLS inside TLS"));
        };
        let tls = within(HANDSHAKE_LIMIT, "TLS handshake", acceptor.accept(plain)).await??;
        self.stream = Stream::Tls(Box::new(tls));
        Ok(())
    }

    /// The next line without its line end, or nothing at the end of the stream.
    pub(super) async fn line(&mut self) -> io::Result<Option<String>> {
        let mut searched = 0;
        loop {
            let pending = self.pending();
            let end = pending[searched..].iter().position(|&byte| byte == b'\n');
            if let Some(end) = end.map(|end| searched + end) {
                let line = pending[..end]
                    .strip_suffix(b"\r")
                    .unwrap_or(&pending[..end]);
                let line = String::from_utf8_lossy(line).into_owned();
                self.consume(end + 1);
                return Ok(Some(line));
            }
            searched = pending.len();
            if searched > LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long"));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// What was received and not consumed yet.
    pub(super) fn pending(&self) -> &[u8] {
        &self.input[self.start..]
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.start += n;
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        }
    }

    /// Sends what is waiting and reads once; 0 means the end of the stream.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        self.flush().await?;
        self.input.drain(..self.start);
        self.start = 0;
        self.input.reserve(READ_SIZE);
        let read = self.stream.read_into(&mut self.input).await;
        if !self.latency.is_zero() {
            sleep(self.latency).await;
        }
        self.reads += 1;
        self.read_at = now();
        read
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.output.clear();
        }
        Ok(())
    }

    /// An orderly end, TLS included.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.stream.shutdown().await?;
        self.drain().await
    }

    /// Closes without a goodbye on the TLS layer.
    pub(super) async fn cut(&mut self) -> io::Result<()> {
        self.half_close().await?;
        self.drain().await
    }

    pub(super) async fn half_close(&mut self) -> io::Result<()> {
        self.flush().await?;
        match self.stream.tcp() {
            Some(tcp) => SockRef::from(tcp).shutdown(Shutdown::Write),
            None => Ok(()),
        }
    }

    /// Makes the coming drop of the connection a TCP reset.
    pub(super) async fn reset(&mut self) -> io::Result<()> {
        self.flush().await?;
        match self.stream.tcp() {
            Some(tcp) => SockRef::from(tcp).set_linger(Some(Duration::ZERO)),
            None => Ok(()),
        }
    }

    /// Reads and forgets until the client closes.
    pub(super) async fn swallow(&mut self) -> io::Result<()> {
        while self.fill().await? > 0 {
            self.input.clear();
        }
        Ok(())
    }

    /// Neither reads nor writes until the client closes.
    pub(super) async fn stall(&mut self) -> io::Result<()> {
        self.flush().await?;
        while let Some(tcp) = self.stream.tcp() {
            if tcp.ready(Interest::READABLE).await?.is_read_closed() {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    async fn drain(&mut self) -> io::Result<()> {
        within(DRAIN_LIMIT, "client's close", self.swallow()).await?
    }
}

impl Stream {
    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(plain) => Some(plain),
            Self::Tls(tls) => Some(tls.get_ref().0),
            Self::Gone => None,
        }
    }

    async fn read_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.read_buf(buffer).await,
            Self::Tls(tls) => tls.read_buf(buffer).await,
            Self::Gone => Ok(0),
        }
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.write_all(bytes).await,
            Self::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.shutdown().await,
            Self::Tls(tls) => tls.shutdown().await,
            Self::Gone => Ok(()),
        }
    }
}
