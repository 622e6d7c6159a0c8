//! A store that cannot be worked with: what is said, and that nothing is written.

use testkit::RedisServer;

use crate::program::{Ended, Place};

async fn submit(store: &str, more: &[&str]) -> Ended {
    let args = ["submit", "--store", store, "--namespace", "crm"];
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    Place::new().run(&args).await
}

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {ended:?}");
    }
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert_eq!(ended.stdout, "");
}

async fn keys(server: &RedisServer) -> String {
    server.command(&["DBSIZE"]).await.unwrap()
}

#[tokio::test]
async fn addresses_and_namespaces() {
    let mut server = RedisServer::builder().start().await.unwrap();
    let url = server.url();
    let database = format!("{url}first");
    refused(&submit(&database, &[]).await, 2, &["--store", "first"]);
    for namespace in ["a b", "{crm}", ""] {
        let ended = submit(&url, &["--namespace", namespace]).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
    assert_eq!(keys(&server).await, ":0\r\n");
    server.stop().await;
    let addr = server.addr().to_string();
    refused(
        &submit(&url, &[]).await,
        1,
        &["--store", &addr, "cannot be reached"],
    );
}

#[tokio::test]
async fn a_wrong_password_is_not_shown() {
    let server = RedisServer::builder().flags(["--maxclients", "100"]);
    let server = server.start().await.unwrap();
    let set = ["CONFIG", "SET", "requirepass", "right"];
    server.command(&set).await.unwrap();
    let url = |password: &str| format!("redis://:{password}@{}/", server.addr());
    let ended = submit(&url("guess"), &[]).await;
    refused(&ended, 2, &["--store", "password"]);
    assert!(!ended.stderr.contains("guess"), "{ended:?}");
    refused(
        &submit(&server.url(), &[]).await,
        2,
        &["--store", "password"],
    );
    let ended = submit(&url("right"), &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("right"), "{ended:?}");
}

#[tokio::test]
async fn what_another_program_has_left_is_not_touched() {
    let server = RedisServer::builder().start().await.unwrap();
    let set = async |words: &[&str]| server.command(words).await.unwrap();
    set(&["SET", "{crm}:meta", "theirs"]).await;
    let ended = submit(&server.url(), &[]).await;
    refused(&ended, 2, &["{crm}:meta", "another program"]);
    assert_eq!(set(&["GET", "{crm}:meta"]).await, "$6\r\ntheirs\r\n");

    set(&["DEL", "{crm}:meta"]).await;
    set(&["HSET", "{crm}:meta", "format", "99"]).await;
    let ended = submit(&server.url(), &[]).await;
    refused(&ended, 2, &["format \"99\"", "upgrade"]);
    assert_eq!(keys(&server).await, ":1\r\n");
}

#[tokio::test]
async fn what_the_server_lacks_is_an_error_or_a_warning_by_choice() {
    let evicting = RedisServer::builder().flags(["--maxmemory-policy", "allkeys-lru"]);
    let server = evicting.start().await.unwrap();
    let url = server.url();
    refused(&submit(&url, &[]).await, 2, &["allkeys-lru", "noeviction"]);
    assert_eq!(keys(&server).await, ":0\r\n");
    let ended = submit(&url, &["--durability", "unchecked"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("warning: "), "{ended:?}");

    let forgetful = RedisServer::builder().start().await.unwrap();
    let url = forgetful.url();
    let strict = submit(&url, &["--durability", "append-only"]).await;
    refused(&strict, 2, &["append-only file"]);
    let ended = submit(&url, &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("append-only file").count(),
        1,
        "{ended:?}"
    );
}
