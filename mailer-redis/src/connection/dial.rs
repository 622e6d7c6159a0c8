//! Making a connection.

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisFuture, RedisResult, Value};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

use super::address::{Address, Target};
use super::config::Waits;

/// A connection to a server, or those to the nodes of a cluster. Clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// Makes connections to one target.
pub(super) struct Dialer {
    target: Target,
    bounds: AsyncConnectionConfig,
}

impl Dialer {
    pub(super) fn new(address: Address, waits: Waits) -> Self {
        // A process that builds rustls with two sets of algorithms must choose one, or the first TLS connect panics.
        // An `Err` says that the host has chosen.
        if address.tls && CryptoProvider::get_default().is_none() {
            let _ = ring::default_provider().install_default();
        }
        Self {
            target: address.target,
            bounds: AsyncConnectionConfig::new()
                .set_connection_timeout(Some(waits.connect))
                .set_response_timeout(Some(waits.command)),
        }
    }

    /// A new connection.
    pub(super) async fn dial(&self) -> RedisResult<Connection> {
        match &self.target {
            Target::Server(client) => client
                .get_multiplexed_async_connection_with_config(&self.bounds)
                .await
                .map(Connection::Server),
            Target::Sentinels(sentinels) => {
                let (_, connection) = sentinels.master(&self.bounds).await?;
                Ok(Connection::Server(connection))
            }
            Target::Cluster(cluster) => {
                let nodes = cluster.client.get_async_connection().await;
                nodes.map(Connection::Cluster)
            }
        }
    }

    /// A connection that can subscribe: to the server on which scripts run that declare this key. Its bound is the
    /// caller's.
    pub(super) async fn dial_for_news(&self, key: &str) -> RedisResult<PubSub> {
        let client = match &self.target {
            Target::Server(client) => client.clone(),
            Target::Sentinels(sentinels) => sentinels.master(&self.bounds).await?.0,
            Target::Cluster(cluster) => cluster.owner_of(key, &self.bounds).await?,
        };
        client.get_async_pubsub().await
    }
}

impl Connection {
    /// Asks every master of a Cluster, which answers with a map; elsewhere the one server.
    pub(super) async fn everywhere(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(server) => server.send_packed_command(command).await,
            Self::Cluster(cluster) => {
                let masters = (MultipleNodeRoutingInfo::AllMasters, None);
                let route = RoutingInfo::MultiNode(masters);
                cluster.route_command(command.clone(), route).await
            }
        }
        .and_then(Value::extract_error)
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(server) => server.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(server) => server.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(server) => server.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}
