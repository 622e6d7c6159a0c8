//! Asking the sentinels who the master is.

use std::sync::atomic::{AtomicUsize, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    ServerErrorKind, Value, cmd,
};

use super::address::elsewhere;

/// The sentinels, and how to log in to the master that they name.
pub(super) struct Sentinels {
    sentinels: Vec<Client>,
    name: String,
    /// The master's login and way of encryption, at any address.
    master: ConnectionInfo,
    /// Which sentinel to ask first.
    first: AtomicUsize,
}

impl Sentinels {
    /// The first URL has the master's login.
    pub(super) fn new(
        infos: Vec<ConnectionInfo>,
        name: &str,
        login: Option<&(String, String)>,
    ) -> RedisResult<Self> {
        let Some(master) = infos.first().cloned() else {
            return Err((ErrorKind::EmptySentinelList, "no sentinel is given").into());
        };
        let open = |info: ConnectionInfo| {
            let mut own = redis::RedisConnectionInfo::default();
            if let Some((user, password)) = login {
                own = own.set_password(password);
                if !user.is_empty() {
                    own = own.set_username(user);
                }
            }
            Client::open(info.set_redis_settings(own))
        };
        Ok(Self {
            sentinels: infos.into_iter().map(open).collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            master,
            first: AtomicUsize::new(0),
        })
    }

    /// The present master, and a connection to it.
    pub(super) async fn master(
        &self,
        bounds: &AsyncConnectionConfig,
    ) -> RedisResult<(Client, MultiplexedConnection)> {
        let first = self.first.load(Ordering::Relaxed);
        let mut last = RedisError::from((ErrorKind::EmptySentinelList, "no sentinel is given"));
        for step in 0..self.sentinels.len() {
            let at = (first + step) % self.sentinels.len();
            // Whoever gives up in the middle of this leaves the silent one to be asked last the next time.
            self.first.store(at + 1, Ordering::Relaxed);
            match self.ask(&self.sentinels[at], bounds).await {
                Ok(master) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(master);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask(
        &self,
        sentinel: &Client,
        bounds: &AsyncConnectionConfig,
    ) -> RedisResult<(Client, MultiplexedConnection)> {
        let mut asked = sentinel
            .get_multiplexed_async_connection_with_config(bounds)
            .await?;
        let place: Option<(String, u16)> = cmd("SENTINEL")
            .arg("get-master-addr-by-name")
            .arg(&self.name)
            .query_async(&mut asked)
            .await?;
        let Some((host, port)) = place else {
            return Err((
                ErrorKind::MasterNameNotFoundBySentinel,
                "the sentinel knows no master of this name",
            )
                .into());
        };
        let client = Client::open(elsewhere(&self.master, &host, port))?;
        let mut master = client
            .get_multiplexed_async_connection_with_config(bounds)
            .await?;
        // In the middle of a failover a sentinel names the old master, which may have become a replica.
        match cmd("ROLE").query_async::<Vec<Value>>(&mut master).await {
            Ok(role) if role.first() != Some(&Value::BulkString(b"master".to_vec())) => Err((
                ErrorKind::Server(ServerErrorKind::ReadOnly),
                "the sentinel names a master that has become a replica",
            )
                .into()),
            Err(error) if error.code() != Some("NOPERM") => Err(error),
            _ => Ok((client, master)),
        }
    }
}
