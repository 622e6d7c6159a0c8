//! A private server for the tests of a binary, and a namespace for each.

#![allow(dead_code, reason = "not every test needs all of it")]
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use testkit::{RedisCluster, RedisServer};
use tokio::sync::Mutex;

static SERVER: Mutex<Weak<RedisServer>> = Mutex::const_new(Weak::new());
static NAMESPACES: AtomicU64 = AtomicU64::new(0);

/// The server of the tests that run at this time: the last to end stops it, as nobody would at the end of the process.
pub(crate) async fn server() -> Arc<RedisServer> {
    let mut running = SERVER.lock().await;
    if let Some(server) = running.upgrade() {
        return server;
    }
    let server = Arc::new(RedisServer::builder().start().await.unwrap());
    *running = Arc::downgrade(&server);
    server
}

static CLUSTER: Mutex<Weak<RedisCluster>> = Mutex::const_new(Weak::new());

/// The cluster of the tests that run at this time.
pub(crate) async fn cluster() -> Arc<RedisCluster> {
    let mut running = CLUSTER.lock().await;
    if let Some(cluster) = running.upgrade() {
        return cluster;
    }
    let cluster = Arc::new(RedisCluster::start().await.unwrap());
    *running = Arc::downgrade(&cluster);
    cluster
}

/// Keeps a server until the runtime of this test ends.
pub(crate) fn keep<T: Send + Sync + 'static>(server: Arc<T>) {
    tokio::spawn(async move {
        let _server = server;
        std::future::pending::<()>().await;
    });
}

/// One that nobody has.
pub(crate) fn namespace() -> String {
    format!("test:{}", NAMESPACES.fetch_add(1, Ordering::Relaxed))
}

/// The keys of a namespace that have no expiry.
pub(crate) async fn without_expiry(server: &RedisServer, namespace: &str) -> Vec<String> {
    let script = "local found = {} \
        for _, key in ipairs(redis.call('KEYS', '{' .. ARGV[1] .. '}:*')) do \
          if redis.call('PTTL', key) < 0 then found[#found + 1] = key end \
        end \
        return table.concat(found, ' ')";
    let reply = server
        .command(&["EVAL", script, "0", namespace])
        .await
        .unwrap();
    let keys = reply.lines().nth(1).unwrap_or(&reply).to_owned();
    keys.split_whitespace().map(str::to_owned).collect()
}
