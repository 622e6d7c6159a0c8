//! The network that fails on command.

use std::{io, net::SocketAddr, time::Duration};

use testkit::{Cut, FaultProxy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use crate::client::now;

const SOON: Duration = Duration::from_secs(5);
const NEVER: Duration = Duration::from_millis(100);

/// A server that says everything again.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = client.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    addr
}

async fn says_again(client: &mut TcpStream, word: &[u8; 5], limit: Duration) -> io::Result<()> {
    client.write_all(word).await?;
    hears(client, word, limit).await
}

#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
async fn hears(client: &mut TcpStream, word: &[u8; 5], limit: Duration) -> io::Result<()> {
    let mut answer = [0; 5];
    timeout(limit, client.read_exact(&mut answer)).await??;
    assert_eq!(&answer, word);
    Ok(())
}

async fn connected() -> (FaultProxy, TcpStream) {
    let network = FaultProxy::start(echo().await).await.unwrap();
    let mut client = TcpStream::connect(network.addr()).await.unwrap();
    says_again(&mut client, b"hello", SOON).await.unwrap();
    (network, client)
}

#[tokio::test]
async fn bytes_pass_and_so_does_the_goodbye() {
    let (_network, mut client) = connected().await;
    client.write_all(b"close").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"close");
}

#[tokio::test]
async fn stalled_bytes_come_later() {
    let (mut network, mut client) = connected().await;
    network.stall();
    let error = says_again(&mut client, b"delay", NEVER).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    network.pass().await.unwrap();
    hears(&mut client, b"delay", SOON).await.unwrap();
    says_again(&mut client, b"again", SOON).await.unwrap();
}

#[tokio::test]
async fn lost_bytes_never_come_and_their_connection_stays_dead() {
    let (mut network, mut client) = connected().await;
    network.black_hole();
    says_again(&mut client, b"lost.", NEVER).await.unwrap_err();
    network.pass().await.unwrap();
    says_again(&mut client, b"lost!", NEVER).await.unwrap_err();
    let mut other = TcpStream::connect(network.addr()).await.unwrap();
    says_again(&mut other, b"hello", SOON).await.unwrap();
}

#[tokio::test]
async fn a_cut_is_a_reset_and_new_clients_are_welcome() {
    let (mut network, mut client) = connected().await;
    network.cut().await;
    let error = client.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let mut other = TcpStream::connect(network.addr()).await.unwrap();
    says_again(&mut other, b"hello", SOON).await.unwrap();
    assert_eq!(network.accepted(), 2);
}

#[tokio::test]
async fn refused_clients_leave_those_inside_alone() {
    let (mut network, mut client) = connected().await;
    network.refuse().await;
    let error = TcpStream::connect(network.addr()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    says_again(&mut client, b"still", SOON).await.unwrap();
    network.pass().await.unwrap();
    let mut other = TcpStream::connect(network.addr()).await.unwrap();
    says_again(&mut other, b"hello", SOON).await.unwrap();
}

#[tokio::test]
async fn where_connections_are_cut_follows_from_the_seed() {
    async fn cuts(seed: u64) -> Vec<usize> {
        let network = FaultProxy::start_seeded(echo().await, seed).await.unwrap();
        network.cut_each_after(0..200);
        let mut cuts = Vec::new();
        for _ in 0..8 {
            let mut client = TcpStream::connect(network.addr()).await.unwrap();
            let mut whole = 0;
            while says_again(&mut client, b"words", SOON).await.is_ok() {
                whole += 1;
            }
            cuts.push(whole);
        }
        cuts
    }
    let first = cuts(1).await;
    assert_eq!(first, cuts(1).await);
    assert_ne!(first, cuts(2).await);
}

/// A server that says `greeting` and then listens to the end: what it heard of each client.
async fn listener(greeting: &'static [u8]) -> (SocketAddr, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut all = Vec::new();
            client.write_all(greeting).await.unwrap();
            // What came before a reset is heard all the same.
            let _ = client.read_to_end(&mut all).await;
            let _ = tell.send(all);
        }
    });
    (addr, heard)
}

#[tokio::test]
async fn a_client_is_cut_after_exactly_so_many_bytes() {
    for n in 0..6 {
        for is_reset in [false, true] {
            let (server, mut heard) = listener(b"").await;
            let network = FaultProxy::start(server).await.unwrap();
            network.record();
            let cut = Cut::from_client(n);
            network.cut_next(if is_reset { cut.by_reset() } else { cut });
            let mut client = TcpStream::connect(network.addr()).await.unwrap();
            // A connection that is reset may not take them.
            let _ = client.write_all(b"hello").await;
            let end = client.read_u8().await.unwrap_err().kind();
            let expected = if is_reset {
                io::ErrorKind::ConnectionReset
            } else {
                io::ErrorKind::UnexpectedEof
            };
            assert_eq!(end, expected, "{n}");
            drop(client);
            assert_eq!(heard.recv().await.unwrap(), &b"hello"[..n]);
            if !is_reset {
                assert_eq!(network.traffic()[0].from_client, b"hello");
            }
        }
    }
}

#[tokio::test]
async fn a_server_is_cut_after_exactly_so_many_bytes() {
    for n in 0..5 {
        let (server, mut heard) = listener(b"hello").await;
        let network = FaultProxy::start(server).await.unwrap();
        network.record();
        network.cut_next(Cut::from_server(n));
        let mut client = TcpStream::connect(network.addr()).await.unwrap();
        let mut given = Vec::new();
        client.read_to_end(&mut given).await.unwrap();
        assert_eq!(given, &b"hello"[..n]);
        client.write_all(b"too late").await.unwrap();
        drop(client);
        assert_eq!(heard.recv().await.unwrap(), b"");

        // Only the next connection was meant.
        let mut client = TcpStream::connect(network.addr()).await.unwrap();
        hears(&mut client, b"hello", SOON).await.unwrap();
        client.write_all(b"in time").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), b"in time");
        assert_eq!(network.traffic()[0].to_client, &b"hello"[..n]);
        assert_eq!(network.traffic()[1].to_client, b"hello");
    }
}

#[tokio::test]
async fn every_word_takes_its_time_each_way_and_many_are_under_way() {
    let network = FaultProxy::start(echo().await).await.unwrap();
    network.latency(NEVER);
    let mut client = TcpStream::connect(network.addr()).await.unwrap();
    let started = now();
    for word in [b"one..", b"two..", b"three"] {
        client.write_all(word).await.unwrap();
    }
    for word in [b"one..", b"two..", b"three"] {
        hears(&mut client, word, SOON).await.unwrap();
    }
    assert!(started.elapsed() >= 2 * NEVER);
    // Were one at a time under way, the answer to the first would have come before the second had gone.
    assert_eq!(network.round_trips(), 0);
    client.shutdown().await.unwrap();
    assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_round_trip_is_a_client_that_speaks_after_the_server() {
    let (network, mut client) = connected().await;
    assert_eq!(network.round_trips(), 0);
    for word in [b"first", b"again"] {
        says_again(&mut client, word, SOON).await.unwrap();
    }
    assert_eq!(network.round_trips(), 2);
    let mut other = TcpStream::connect(network.addr()).await.unwrap();
    says_again(&mut other, b"hello", SOON).await.unwrap();
    assert_eq!(network.round_trips(), 2);
    says_again(&mut other, b"again", SOON).await.unwrap();
    assert_eq!(network.round_trips(), 3);
}

#[tokio::test]
async fn silence_after_exactly_so_many_bytes_lasts_until_the_client_closes() {
    let (server, mut heard) = listener(b"hello").await;
    let network = FaultProxy::start(server).await.unwrap();
    network.record();
    network.cut_next(Cut::from_client(2).by_silence());
    let mut client = TcpStream::connect(network.addr()).await.unwrap();
    hears(&mut client, b"hello", SOON).await.unwrap();
    client.write_all(b"words").await.unwrap();
    let error = hears(&mut client, b"never", NEVER).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(heard.try_recv().is_err());
    drop(client);
    assert_eq!(heard.recv().await.unwrap(), b"wo");
    assert_eq!(network.traffic()[0].from_client, b"words");
}
