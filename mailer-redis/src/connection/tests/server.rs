//! What a start looks at.

use std::net::SocketAddr;

use testkit::{Fsync, RedisServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers `INFO` with these lines, and everything else with a simple text that means nothing.
async fn stub(info: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(count @ 1..) = client.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    for request in text.split('*').skip(1) {
                        let reply = if request.contains("\r\nINFO\r\n") {
                            format!("${}\r\n{info}\r\n", info.len())
                        } else {
                            "+none\r\n".to_owned()
                        };
                        client.write_all(reply.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    addr
}

#[tokio::test]
async fn an_old_server_is_named_with_its_version() {
    let addr = stub("redis_version:6.2.14\r\nrole:master\r\n").await;
    let error = Link::open(&quick(format!("redis://{addr}")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    says(&error, &["6.2.14", "7.0 or newer", &addr.to_string()]);
}

#[tokio::test]
async fn valkey_is_as_good() {
    let info =
        "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\nrole:master\r\n";
    let addr = stub(info).await;
    let link = Link::open(&quick(format!("redis://{addr}"))).await.unwrap();
    let state = &link.report().servers()[0];
    assert_eq!(state.version.as_deref(), Some("valkey 8.1.1"));
    assert!(link.report().warnings().is_empty());
}

#[tokio::test]
async fn a_server_that_is_as_it_should_be_gives_no_warning() {
    let server = RedisServer::builder()
        .append_only(Fsync::Always)
        .start()
        .await
        .unwrap();
    let config = quick(server.url()).durability(Durability::AppendOnly);
    let report = Link::open(&config).await.unwrap().report().clone();
    assert!(report.warnings().is_empty());
    let state = &report.servers()[0];
    let (program, version) = state.version.as_deref().unwrap().split_once(' ').unwrap();
    assert!(["redis", "valkey"].contains(&program), "{program}");
    let major = version.split('.').next().unwrap().parse::<u32>().unwrap();
    assert!(major >= 7, "{version}");
    assert_eq!(state.append_only, Some(true));
    assert_eq!(state.eviction_policy.as_deref(), Some("noeviction"));
    assert_eq!(state.role.as_deref(), Some("master"));
}

/// Whether it opens under each durability, strictest first, and what is said.
async fn verdicts(flags: &[&str], append_only: bool, word: &str) -> [bool; 3] {
    let mut builder = RedisServer::builder().flags(flags.iter().copied());
    if append_only {
        builder = builder.append_only(Fsync::Never);
    }
    let server = builder.start().await.unwrap();
    let mut verdicts = [false; 3];
    let all = [
        Durability::AppendOnly,
        Durability::NoEviction,
        Durability::Unchecked,
    ];
    for (verdict, durability) in verdicts.iter_mut().zip(all) {
        let said = match Link::open(&quick(server.url()).durability(durability)).await {
            Ok(link) => {
                *verdict = true;
                link.report().warnings().join("; ")
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Invalid);
                error.to_string()
            }
        };
        println!("{durability:?}: {said}");
        assert!(said.contains(word), "{said}");
    }
    verdicts
}

#[tokio::test]
async fn durability_says_what_is_an_error() {
    let evicts = ["--maxmemory-policy", "allkeys-lru"];
    assert_eq!(
        verdicts(&evicts, true, "set it to noeviction").await,
        [false, false, true]
    );
    assert_eq!(
        verdicts(&[], false, "set appendonly to yes").await,
        [false, true, true]
    );
    let replica = ["--replicaof", "127.0.0.1", "1"];
    assert_eq!(
        verdicts(&replica, true, "is a replica").await,
        [false, false, true]
    );
}

#[tokio::test]
async fn a_foreign_key_in_our_place_is_incompatible_and_is_left_alone() {
    let server = RedisServer::builder().start().await.unwrap();
    server
        .command(&["SET", "{test}:meta", "theirs"])
        .await
        .unwrap();
    let error = Link::open(&quick(server.url())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    says(&error, &["{test}:meta", "string", "another program"]);
    assert_eq!(
        server.command(&["GET", "{test}:meta"]).await.unwrap(),
        "$6\r\ntheirs\r\n"
    );
}

#[tokio::test]
async fn only_our_format_is_opened() {
    let server = RedisServer::builder().start().await.unwrap();
    for (field, value, refusal) in [
        ("colour", "red", Some("another program uses this namespace")),
        ("format", "1", None),
        (
            "format",
            "2",
            Some("is of format \"2\", this version knows format \"1\""),
        ),
        ("format", "x", Some("is of format \"x\"")),
    ] {
        server
            .command(&["HSET", "{test}:meta", field, value])
            .await
            .unwrap();
        match (Link::open(&quick(server.url())).await, refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(refusal)) => {
                assert_eq!(error.kind(), ErrorKind::Incompatible);
                says(&error, &[refusal, "test"]);
            }
            (opened, _) => panic!("{field} {value}: {opened:?}"),
        }
    }
}
