//! The way to the server.

mod config;
mod fault;

pub use config::{RedisConfig, Topology};

use mailer_core::Error;
use redis::{ScriptInvocation, Value};

use fault::describe;

/// A bounded way to the server: a pool, or the connections of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    address: String,
    connection: redis::aio::MultiplexedConnection,
}

impl Link {
    pub(crate) async fn open(config: &RedisConfig) -> Result<Self, Error> {
        let connect = async {
            let client = redis::Client::open(config.url.as_str())?;
            client.get_multiplexed_async_connection().await
        };
        let connection = connect
            .await
            .map_err(|error| describe("connect", &config.url, &error))?;
        Ok(Self {
            address: config.url.clone(),
            connection,
        })
    }

    /// Runs a script, loading it where the server does not know it.
    pub(crate) async fn invoke(
        &self,
        op: &'static str,
        script: &'static str,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<Value, Error> {
        let mut connection = self.connection.clone();
        let _ = script;
        invocation
            .invoke_async(&mut connection)
            .await
            .map_err(|error| describe(op, &self.address, &error))
    }

    /// Runs one command.
    pub(crate) async fn command(
        &self,
        op: &'static str,
        command: &redis::Cmd,
    ) -> Result<Value, Error> {
        let mut connection = self.connection.clone();
        command
            .query_async(&mut connection)
            .await
            .map_err(|error| describe(op, &self.address, &error))
    }
}
