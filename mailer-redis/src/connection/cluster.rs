//! The nodes of a Cluster.

use mailer_core::domain::Fault;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult, cmd,
};

use super::address::{certificates, elsewhere, masked, tcp};
use super::config::RedisConfig;

/// A Cluster, and the nodes of it that were configured.
pub(super) struct Cluster {
    pub(super) client: ClusterClient,
    nodes: Vec<Client>,
}

impl Cluster {
    pub(super) fn new(
        config: &RedisConfig,
        nodes: Vec<ConnectionInfo>,
        urls: &[String],
    ) -> Result<Self, Fault> {
        if let Some(at) = nodes
            .iter()
            .position(|node| node.redis_settings().db() != 0)
        {
            let rule = "a Cluster has no other database than 0";
            return Err(Fault::new("urls", masked(&urls[at]), rule));
        }
        let wrong = |error: RedisError| Fault::new("urls", masked(&urls[0]), error.to_string());
        let clients = nodes.iter().cloned().map(Client::open);
        let clients = clients.collect::<RedisResult<_>>().map_err(wrong)?;
        let mut builder = ClusterClientBuilder::new(nodes)
            .connection_timeout(config.waits.connect)
            .response_timeout(config.waits.command)
            // More would hide an outage from the caller for longer than its bound.
            .retries(2)
            .max_retry_wait(100)
            .tcp_settings(tcp());
        if let Some(pem) = &config.roots {
            builder = builder.certs(certificates(pem));
        }
        Ok(Self {
            client: builder.build().map_err(wrong)?,
            nodes: clients,
        })
    }

    /// The node that has this key, as the first configured node that answers knows it.
    pub(super) async fn owner_of(
        &self,
        key: &str,
        bounds: &AsyncConnectionConfig,
    ) -> RedisResult<Client> {
        let mut last = RedisError::from((ErrorKind::Client, "no node is given"));
        for node in &self.nodes {
            match ask(node, key, bounds).await {
                Ok(owner) => return Ok(owner),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

async fn ask(node: &Client, key: &str, bounds: &AsyncConnectionConfig) -> RedisResult<Client> {
    let mut asked = node
        .get_multiplexed_async_connection_with_config(bounds)
        .await?;
    let Err(error) = cmd("TYPE").arg(key).query_async::<String>(&mut asked).await else {
        return Ok(node.clone());
    };
    let info = node.get_connection_info();
    let moved_to = error
        .redirect_node()
        .filter(|_| error.code() == Some("MOVED"));
    match moved_to.and_then(|(place, _)| place.rsplit_once(':')) {
        Some((host, port)) => {
            let port = port.parse().unwrap_or_default();
            Client::open(elsewhere(info, host, port))
        }
        // It is being moved to another node, but is still here.
        None if error.code() == Some("ASK") => Ok(node.clone()),
        None => Err(error),
    }
}
