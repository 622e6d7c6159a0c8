//! A client that sees every byte.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests talk to real sockets in real time"
)]

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

pub(crate) struct Client<S = TcpStream> {
    pub(crate) stream: S,
    input: Vec<u8>,
}

impl Client {
    /// Connects without reading the greeting.
    pub(crate) async fn dial(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap())
    }

    /// Connects, reads the greeting and says EHLO.
    pub(crate) async fn greeted(addr: SocketAddr) -> Self {
        let mut client = Self::dial(addr).await;
        assert!(client.reply().await.starts_with("220 "));
        assert!(client.ask("EHLO test").await.starts_with("250-"));
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self {
            stream,
            input: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends a line and returns the whole reply.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// The next reply, up to its last line.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.line().await;
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            if is_last {
                return reply;
            }
        }
    }

    /// Opens a transaction up to the reply to DATA.
    pub(crate) async fn envelope(&mut self, to: &str) {
        assert!(self.ask("MAIL FROM:<a@x>").await.starts_with("250 2.1.0 "));
        let rcpt = format!("RCPT TO:<{to}>");
        assert!(self.ask(&rcpt).await.starts_with("250 2.1.5 "));
        assert!(self.ask("DATA").await.starts_with("354 "));
    }

    /// Sends a whole mail and returns the reply to its final dot.
    pub(crate) async fn mail(&mut self, to: &str, body: &str) -> String {
        self.envelope(to).await;
        self.ask(&format!("{body}\r\n.")).await
    }

    /// What comes until the connection ends, and how it ends.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let end = loop {
            match within(self.stream.read_buf(&mut self.input)).await {
                Some(Ok(0)) => break Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => break Err(error),
                None => panic!("still open after {PATIENCE:?}, got {:?}", self.input),
            }
        };
        (std::mem::take(&mut self.input), end)
    }

    /// Whether nothing comes and nothing ends for this long.
    pub(crate) async fn is_silent_for(&mut self, length: Duration) -> bool {
        tokio::time::timeout(length, self.stream.read_buf(&mut self.input))
            .await
            .is_err()
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                return String::from_utf8(line).unwrap();
            }
            let read = within(self.stream.read_buf(&mut self.input)).await;
            let read = read.expect("no line in time").unwrap();
            assert_ne!(read, 0, "closed after {:?}", self.input);
        }
    }
}

async fn within<F: Future>(future: F) -> Option<F::Output> {
    tokio::time::timeout(PATIENCE, future).await.ok()
}
