//! A private server for the tests of a binary, and a namespace for each.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use testkit::RedisServer;
use tokio::sync::Mutex;

static SERVER: Mutex<Weak<RedisServer>> = Mutex::const_new(Weak::new());
static NAMESPACES: AtomicU64 = AtomicU64::new(0);

/// The server of the tests that run at this time: the last to end stops it, as nobody would at the end of the process.
pub async fn server() -> Arc<RedisServer> {
    let mut running = SERVER.lock().await;
    if let Some(server) = running.upgrade() {
        return server;
    }
    let server = Arc::new(RedisServer::builder().start().await.unwrap());
    *running = Arc::downgrade(&server);
    server
}

/// Keeps the server until the runtime of this test ends.
pub fn keep(server: Arc<RedisServer>) {
    tokio::spawn(async move {
        let _server = server;
        std::future::pending::<()>().await;
    });
}

/// One that nobody has.
pub fn namespace() -> String {
    format!("test:{}", NAMESPACES.fetch_add(1, Ordering::Relaxed))
}
