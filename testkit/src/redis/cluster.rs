use std::io;

use super::{RedisServer, SlotMove, agreed, io_error};
use crate::{
    Certificate,
    process::{LaunchError, free_addr},
};

const SLOTS: usize = 16_384;
const MASTERS: usize = 3;

/// A Redis Cluster of three masters on loopback, without replicas; dropping it kills them.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = testkit::RedisCluster::start().await?;
/// assert_eq!(cluster.urls().len(), 3);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RedisCluster {
    pub(super) nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Launches the masters, deals the slots out evenly and waits until all agree.
    ///
    /// # Errors
    /// When `redis-server` is not installed or does not start, or they do not agree within 20 seconds.
    pub async fn start() -> Result<Self, LaunchError> {
        Self::launch(None).await
    }

    /// The same with TLS, among the nodes too. They listen without it as well.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_tls(certificate: &Certificate) -> Result<Self, LaunchError> {
        Self::launch(Some(certificate)).await
    }

    async fn launch(certificate: Option<&Certificate>) -> Result<Self, LaunchError> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..MASTERS {
            // Beside its usual place, which is 10 000 above and where the system hands out ports.
            let bus = free_addr().map_err(io_error)?.port().to_string();
            let flags = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            let more = ["--cluster-node-timeout", "2000"];
            let mut builder = RedisServer::builder().flags(flags).flags(more);
            if let Some(certificate) = certificate {
                builder = builder.tls(certificate);
            }
            nodes.push(builder.start().await?);
            buses.push(bus);
        }
        let cluster = Self { nodes };
        cluster.join(&buses).await.map_err(io_error)?;
        Ok(cluster)
    }

    /// `redis://127.0.0.1:PORT/` of every node.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// `rediss://127.0.0.1:PORT/` of every node that has a certificate.
    #[must_use]
    pub fn tls_urls(&self) -> Vec<String> {
        self.nodes.iter().filter_map(RedisServer::tls_url).collect()
    }

    /// The nodes, to be killed, paused and asked one by one.
    pub fn nodes(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// Which of the nodes serves this key.
    ///
    /// # Errors
    /// When none does.
    pub async fn owner_of(&self, key: &str) -> io::Result<usize> {
        for (at, node) in self.nodes.iter().enumerate() {
            if node.command(&["EXISTS", key]).await?.starts_with(':') {
                return Ok(at);
            }
        }
        Err(io::Error::other(format!("no node serves {key}")))
    }

    /// Begins to move the slot of this key to the next node.
    ///
    /// # Errors
    /// When a node refuses.
    pub async fn move_slot_of(&self, key: &str) -> io::Result<SlotMove<'_>> {
        SlotMove::begin(self, key).await
    }

    async fn join(&self, buses: &[String]) -> io::Result<()> {
        for (at, node) in self.nodes.iter().enumerate() {
            let first = (at * SLOTS / MASTERS).to_string();
            let last = ((at + 1) * SLOTS / MASTERS - 1).to_string();
            let epoch = (at + 1).to_string();
            ok(node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await?;
            ok(node, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await?;
        }
        for (node, bus) in self.nodes.iter().zip(buses).skip(1) {
            let port = node.port_for_servers();
            ok(
                &self.nodes[0],
                &["CLUSTER", "MEET", "127.0.0.1", &port, bus],
            )
            .await?;
        }
        for node in &self.nodes {
            agreed("the slots of the cluster", async || {
                let info = node.command(&["CLUSTER", "INFO"]).await?;
                Ok(info.contains("cluster_state:ok") && info.contains("cluster_size:3"))
            })
            .await?;
        }
        Ok(())
    }
}

pub(super) async fn ok(node: &RedisServer, words: &[&str]) -> io::Result<()> {
    match node.command(words).await?.as_str() {
        "+OK\r\n" => Ok(()),
        other => Err(io::Error::other(format!("{words:?}: {other}"))),
    }
}
