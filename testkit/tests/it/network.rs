//! The network that fails on command.

use std::{io, net::SocketAddr, time::Duration};

use testkit::FaultProxy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

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
