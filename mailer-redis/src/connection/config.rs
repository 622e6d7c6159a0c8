//! How to reach the server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mailer_core::Error;
use mailer_core::clock::Clock;
use mailer_core::domain::Fault;

use super::address::{Address, Place};
use super::durability::Durability;
use crate::namespace::Namespace;

/// How to reach the server, how long to wait for it, and what is demanded of it.
///
/// Every wait has a bound. No call takes longer than [`wait`](Self::wait) and [`command`](Self::command) together,
/// whatever the network does.
///
/// ```
/// use std::time::Duration;
/// use mailer_redis::{Durability, RedisConfig};
///
/// let config = RedisConfig::new("rediss://mailer:secret@redis.example:6380/0", "crm:mailer")
///     .command(Duration::from_secs(1))
///     .durability(Durability::AppendOnly);
/// # let _ = config;
/// ```
#[derive(Clone)]
pub struct RedisConfig {
    pub(crate) namespace: String,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) tolerates_rollback: bool,
    pub(super) place: Place,
    pub(super) roots: Option<Vec<u8>>,
    pub(super) sentinel_login: Option<(String, String)>,
    pub(super) durability: Durability,
    pub(super) waits: Waits,
    pub(super) connections: usize,
}

/// The bounds of the waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub(super) connect: Duration,
    pub(super) command: Duration,
    pub(super) wait: Duration,
}

impl Waits {
    /// What bounds a call as a whole, with reconnecting and a second try.
    pub(super) fn call(self) -> Duration {
        self.wait.saturating_add(self.command)
    }
}

impl RedisConfig {
    /// One server at `url`: `redis://[user:password@]host[:port][/db]`, or `rediss://…` for TLS, or `unix:///path`.
    ///
    /// The names of all keys begin with `{namespace}`: 1 to 64 letters, digits and `. _ - :`.
    #[must_use]
    pub fn new(url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self::at(Place::Server(url.into()), namespace)
    }

    /// A Redis Cluster; some of its nodes are enough. The namespace is one slot, so all its keys are on one node.
    ///
    /// ```
    /// use mailer_redis::RedisConfig;
    ///
    /// let nodes = ["redis://10.0.0.1:7000", "redis://10.0.0.2:7000"];
    /// let config = RedisConfig::cluster(nodes, "crm:mailer");
    /// # let _ = config;
    /// ```
    #[must_use]
    pub fn cluster<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        namespace: impl Into<String>,
    ) -> Self {
        Self::at(Place::Cluster(texts(urls)), namespace)
    }

    /// The master called `master`, as these sentinels know it. They are asked anew at every connect.
    ///
    /// User, password, database and scheme of the first URL are those of the master;
    /// [`sentinel_login`](Self::sentinel_login) is for the sentinels themselves.
    ///
    /// ```
    /// use mailer_redis::RedisConfig;
    ///
    /// let sentinels = ["redis://:secret@10.0.0.1:26379", "redis://10.0.0.2:26379"];
    /// let config = RedisConfig::sentinel(sentinels, "mymaster", "crm:mailer");
    /// # let _ = config;
    /// ```
    #[must_use]
    pub fn sentinel<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        master: impl Into<String>,
        namespace: impl Into<String>,
    ) -> Self {
        let place = Place::Sentinels {
            urls: texts(urls),
            master: master.into(),
        };
        Self::at(place, namespace)
    }

    /// Escape hatch: a client of the `redis` crate, for what a URL cannot say, such as a client certificate. Take the
    /// crate from [`mailer_redis::redis`](crate::redis), so that both are of one version.
    ///
    /// Only its address and login are used: connections and their bounds are this configuration's.
    ///
    /// ```
    /// use mailer_redis::{RedisConfig, redis};
    ///
    /// let client = redis::Client::open("redis://127.0.0.1/")?;
    /// let config = RedisConfig::from_client(client, "crm:mailer");
    /// # let _ = config;
    /// # Ok::<(), redis::RedisError>(())
    /// ```
    #[must_use]
    pub fn from_client(client: redis::Client, namespace: impl Into<String>) -> Self {
        Self::at(Place::Client(client), namespace)
    }

    fn at(place: Place, namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            clock: None,
            tolerates_rollback: false,
            place,
            roots: None,
            sentinel_login: None,
            durability: Durability::default(),
            waits: Waits {
                connect: Duration::from_secs(1),
                command: Duration::from_secs(2),
                wait: Duration::from_secs(2),
            },
            connections: 4,
        }
    }

    /// Goes on where the data is older than what was confirmed, as after a failover to a replica that lagged behind. What
    /// was sent meanwhile may be sent again.
    ///
    /// Without it, every call then fails as [`RolledBack`](mailer_core::ErrorKind::RolledBack), and workers stop with
    /// `store_rolled_back`. An emptied or another server is never tolerated.
    #[must_use]
    pub fn tolerate_rollback(mut self) -> Self {
        self.tolerates_rollback = true;
        self
    }

    /// How long one connect may take, with TLS and login: 1 second unless said otherwise.
    #[must_use]
    pub fn connect(mut self, limit: Duration) -> Self {
        self.waits.connect = limit;
        self
    }

    /// How long the server may take over one command: 2 seconds unless said otherwise.
    ///
    /// A call that fails by it may have been executed: the engine asks again, and every script can be repeated.
    #[must_use]
    pub fn command(mut self, limit: Duration) -> Self {
        self.waits.command = limit;
        self
    }

    /// How long a call may wait until it has a connection, by reconnecting and looking for the master: 2 seconds unless
    /// said otherwise.
    #[must_use]
    pub fn wait(mut self, limit: Duration) -> Self {
        self.waits.wait = limit;
        self
    }

    /// How many connections there are at most (in a Cluster: to each node): 4 unless said otherwise. Any number of calls
    /// share one.
    #[must_use]
    pub fn connections(mut self, count: usize) -> Self {
        self.connections = count;
        self
    }

    /// What is demanded of the server: [`Durability::NoEviction`] unless said otherwise.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Trusts these authorities (PEM), and no others, for `rediss://`. Without them, those of the system.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// The login of the sentinels themselves; an empty user is the default user.
    #[must_use]
    pub fn sentinel_login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.sentinel_login = Some((user.into(), password.into()));
        self
    }

    /// The only authority on time, instead of the server's own: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The namespace and the address, or every value that is not legal.
    /// The namespace, if it is legal.
    pub(crate) fn namespace(&self, op: &'static str) -> Result<Namespace, Error> {
        self.check(op).map(|(namespace, _)| namespace)
    }

    pub(super) fn check(&self, op: &'static str) -> Result<(Namespace, Address), Error> {
        let mut faults = Vec::new();
        let namespace: Option<Namespace> = self
            .namespace
            .parse()
            .map_err(|_| faults.push(Fault::new("namespace", &self.namespace, Namespace::RULE)))
            .ok();
        let address = Address::of(self).map_err(|more| faults.extend(more)).ok();
        let Waits {
            connect,
            command,
            wait,
        } = self.waits;
        for (field, limit) in [("connect", connect), ("command", command), ("wait", wait)] {
            if limit.is_zero() {
                faults.push(Fault::new(
                    field,
                    "0s",
                    "a wait must be longer than nothing",
                ));
            }
        }
        if self.connections == 0 {
            faults.push(Fault::new("connections", "0", "at least 1 is needed"));
        }
        match (namespace, address) {
            (Some(namespace), Some(address)) if faults.is_empty() => Ok((namespace, address)),
            _ => Err(Error::invalid(op, faults)),
        }
    }
}

/// Without certificates and logins.
impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("namespace", &self.namespace)
            .field("place", &self.place)
            .field("waits", &self.waits)
            .field("connections", &self.connections)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

fn texts<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Vec<String> {
    urls.into_iter().map(Into::into).collect()
}
