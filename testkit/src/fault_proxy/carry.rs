//! One connection through the proxy.

use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use super::{
    Flow,
    cut::{Cut, Ending, Way},
    distance::{Talk, late},
    traffic::Record,
};

/// What is to become of a connection.
#[derive(Debug)]
pub(super) struct Fate {
    pub(super) flow: watch::Receiver<Flow>,
    /// It is reset when both directions together carry more than this.
    pub(super) bytes: usize,
    pub(super) cut: Option<Cut>,
    pub(super) record: Option<Record>,
    pub(super) latency: Duration,
    pub(super) talk: Talk,
}

/// Why a connection has not carried all bytes.
enum End {
    Broken,
    Cut(Ending),
}

/// Carries bytes both ways until both ends have said goodbye, or its fate is fulfilled.
pub(super) async fn carry(mut client: TcpStream, server: SocketAddr, fate: Fate) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
        // Whatever ends this early is a reset.
        SockRef::from(socket).set_linger(Some(Duration::ZERO))?;
    }
    let left = Mutex::new(fate.bytes);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let (from_client, on_the_way) = late(from_client, fate.latency);
    let (from_server, on_the_way_back) = late(from_server, fate.latency);
    let ended = tokio::try_join!(
        pump(Way::ToServer, from_client, to_server, &fate, &left),
        pump(Way::ToClient, from_server, to_client, &fate, &left),
        async { Ok(on_the_way.await?) },
        async { Ok(on_the_way_back.await?) },
    );
    let record = fate.record.as_ref();
    match ended {
        Err(End::Broken | End::Cut(Ending::Reset)) => return Ok(()),
        Err(End::Cut(Ending::Silence)) => return hear_out(&mut client, record).await,
        Err(End::Cut(Ending::Goodbye)) | Ok(_) => {}
    }
    for socket in [&client, &server] {
        SockRef::from(socket).set_linger(None)?;
    }
    if ended.is_err() {
        client.shutdown().await?;
        server.shutdown().await?;
        tokio::try_join!(hear_out(&mut client, record), hear_out(&mut server, None))?;
    }
    Ok(())
}

/// Hears what an end still has to say until it closes.
async fn hear_out(from: &mut (impl AsyncRead + Unpin), record: Option<&Record>) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        if let Some(record) = record {
            record.heard_from_client(&buffer[..count]);
        }
    }
}

async fn pump(
    way: Way,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    fate: &Fate,
    left: &Mutex<usize>,
) -> Result<(), End> {
    let mut flow = fate.flow.clone();
    let cut = fate.cut.filter(|cut| cut.way == way);
    let mut until_cut = cut.map_or(usize::MAX, |cut| cut.after);
    let mut buffer = vec![0; 16 * 1024];
    let mut lost = false;
    loop {
        if let Some(cut) = cut.filter(|_| until_cut == 0) {
            return Err(End::Cut(cut.ending));
        }
        let count = from.read(&mut buffer).await?;
        if let Some(record) = fate.record.as_ref().filter(|_| way == Way::ToServer) {
            record.heard_from_client(&buffer[..count]);
        }
        let now = flow.wait_for(|flow| *flow != Flow::Stall).await;
        lost |= *now.map_err(io::Error::other)? == Flow::Lose;
        if lost {
            if count == 0 {
                // The other end is not told of the goodbye either.
                std::future::pending::<()>().await;
            }
            continue;
        }
        if count == 0 {
            return Ok(to.shutdown().await?);
        }
        fate.talk.spoken(way);
        let allowed = take(left, count);
        let passed = &buffer[..allowed.min(until_cut)];
        to.write_all(passed).await?;
        until_cut -= passed.len();
        if let Some(record) = &fate.record {
            record.passed_on(way, passed);
        }
        if allowed < count {
            return Err(End::Broken);
        }
    }
}

/// As many of `count` bytes as are left.
fn take(left: &Mutex<usize>, count: usize) -> usize {
    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
    let allowed = count.min(*left);
    *left -= allowed;
    allowed
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}
