use std::io;

use super::{RedisCluster, RedisServer, cluster::ok};

/// A slot on its way from one master to another, as `redis-cli --cluster reshard` moves it: until all its keys have been
/// carried over, each node has some of them.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = testkit::RedisCluster::start().await?;
/// let moving = cluster.move_slot_of("{crm}:meta").await?;
/// while moving.carry(10).await? > 0 {}
/// moving.finish().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SlotMove<'a> {
    cluster: &'a RedisCluster,
    slot: String,
    from: &'a RedisServer,
    to: &'a RedisServer,
}

impl<'a> SlotMove<'a> {
    pub(super) async fn begin(cluster: &'a RedisCluster, key: &str) -> io::Result<Self> {
        let from = cluster.owner_of(key).await?;
        let (a, b) = (
            &cluster.nodes[from],
            &cluster.nodes[(from + 1) % cluster.nodes.len()],
        );
        let slot = number(&a.command(&["CLUSTER", "KEYSLOT", key]).await?)?.to_string();
        let (from_id, to_id) = (id(a).await?, id(b).await?);
        ok(b, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await?;
        ok(a, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await?;
        Ok(Self {
            cluster,
            slot,
            from: a,
            to: b,
        })
    }

    /// Carries over at most so many keys, and says how many it were.
    ///
    /// # Errors
    /// When a node does not answer, or not as expected.
    pub async fn carry(&self, at_most: usize) -> io::Result<usize> {
        let count = at_most.to_string();
        let words = ["CLUSTER", "GETKEYSINSLOT", &self.slot, &count];
        let reply = self.from.command(&words).await?;
        // A line for the number of keys, then one for the length of each and one for itself.
        let keys: Vec<&str> = reply.lines().skip(2).step_by(2).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let port = self.to.port_for_servers();
        let words = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        let words: Vec<&str> = words.into_iter().chain(keys.iter().copied()).collect();
        ok(self.from, &words).await?;
        Ok(keys.len())
    }

    /// Tells every node, the new one first, where the slot is now.
    ///
    /// # Errors
    /// When a node refuses, as the old one does while it has keys of the slot.
    pub async fn finish(self) -> io::Result<()> {
        let to = id(self.to).await?;
        let others = self.cluster.nodes.iter();
        let others = others.filter(|node| node.addr() != self.to.addr());
        for node in std::iter::once(self.to).chain(others) {
            ok(node, &["CLUSTER", "SETSLOT", &self.slot, "NODE", &to]).await?;
        }
        Ok(())
    }
}

async fn id(node: &RedisServer) -> io::Result<String> {
    let reply = node.command(&["CLUSTER", "MYID"]).await?;
    let id = reply.lines().nth(1).map(str::to_owned);
    id.ok_or_else(|| io::Error::other(reply))
}

fn number(reply: &str) -> io::Result<u64> {
    let digits = reply.trim_start_matches(':').trim_end();
    digits
        .parse()
        .map_err(|_| io::Error::other(reply.to_owned()))
}
