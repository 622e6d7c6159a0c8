use std::{fs, io, net::SocketAddr};

use tempfile::TempDir;

use super::{
    REDIS_SERVER, RedisServer, agreed, io_error,
    server::{probe, tls_settings, write_pems},
    wire::send,
};
use crate::{
    Certificate,
    process::{LaunchError, Process, free_addr},
};

const NAME: &str = "mymaster";

/// A master with a replica, watched by sentinels that replace it soon: half a second after it fell silent.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut redis = testkit::RedisSentinel::start(3).await?;
/// let before = redis.master().await?;
/// redis.first().kill();
/// redis.fails_over(before).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RedisSentinel {
    sentinels: Vec<Sentinel>,
    first: RedisServer,
    second: RedisServer,
    certificate: Option<Certificate>,
    folder: TempDir,
}

#[derive(Debug)]
struct Sentinel {
    addr: SocketAddr,
    tls_addr: Option<SocketAddr>,
    _process: Process,
}

impl RedisSentinel {
    /// Launches the two servers and this many sentinels, and waits until these know the replica.
    ///
    /// # Errors
    /// When `redis-server` is not installed or does not start, or they do not agree within 20 seconds.
    pub async fn start(sentinels: usize) -> Result<Self, LaunchError> {
        Self::launch(sentinels, None).await
    }

    /// The same with TLS, among servers and sentinels too. They listen without it as well.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_tls(
        sentinels: usize,
        certificate: &Certificate,
    ) -> Result<Self, LaunchError> {
        Self::launch(sentinels, Some(certificate.clone())).await
    }

    async fn launch(
        sentinels: usize,
        certificate: Option<Certificate>,
    ) -> Result<Self, LaunchError> {
        let server = || match &certificate {
            Some(certificate) => RedisServer::builder().tls(certificate),
            None => RedisServer::builder(),
        };
        let first = server().start().await?;
        let port = first.port_for_servers();
        let follow = [
            "--replicaof",
            "127.0.0.1",
            &port,
            "--repl-diskless-sync-delay",
            "0",
        ];
        let mut redis = Self {
            sentinels: Vec::new(),
            second: server().flags(follow).start().await?,
            first,
            certificate,
            folder: tempfile::tempdir().map_err(io_error)?,
        };
        if let Some(certificate) = &redis.certificate {
            write_pems(certificate, redis.folder.path()).map_err(io_error)?;
        }
        agreed("the replica", async || {
            let info = redis.second.command(&["INFO", "replication"]).await?;
            Ok(info.contains("master_link_status:up"))
        })
        .await
        .map_err(io_error)?;
        for at in 0..sentinels {
            redis.add_sentinel(at, sentinels / 2 + 1).await?;
        }
        redis.is_known().await.map_err(io_error)?;
        Ok(redis)
    }

    async fn add_sentinel(&mut self, at: usize, quorum: usize) -> Result<(), LaunchError> {
        let addr = free_addr().map_err(io_error)?;
        let file = self.folder.path().join(format!("sentinel-{at}.conf"));
        let folder = self.folder.path().display().to_string();
        let tls_addr = match &self.certificate {
            Some(_) => Some(free_addr().map_err(io_error)?),
            None => None,
        };
        let mut text = format!(
            "port {port}\nbind 127.0.0.1\ndir {folder}\n\
             sentinel monitor {NAME} 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds {NAME} 500\n\
             sentinel failover-timeout {NAME} 3000\n",
            port = addr.port(),
            master = self.first.port_for_servers(),
        );
        for (name, value) in tls_addr
            .iter()
            .flat_map(|addr| tls_settings(*addr, &folder))
        {
            text.push_str(&format!("{name} {value}\n"));
        }
        // A sentinel keeps its state in this file.
        fs::write(&file, text).map_err(io_error)?;
        let arguments = [file.display().to_string(), "--sentinel".to_owned()];
        let log = self.folder.path().join(format!("sentinel-{at}.log"));
        let process = Process::launch(REDIS_SERVER, &arguments, &log, addr, probe).await?;
        self.sentinels.push(Sentinel {
            addr,
            tls_addr,
            _process: process,
        });
        Ok(())
    }

    /// Until every sentinel knows the replica and the others.
    async fn is_known(&self) -> io::Result<()> {
        let others = format!(
            "num-other-sentinels\r\n$1\r\n{}\r\n",
            self.sentinels.len() - 1
        );
        for sentinel in &self.sentinels {
            agreed("the sentinels", async || {
                let master = send(sentinel.addr, &["SENTINEL", "MASTER", NAME]).await?;
                Ok(master.contains("num-slaves\r\n$1\r\n1\r\n") && master.contains(&others))
            })
            .await?;
        }
        Ok(())
    }

    /// `redis://127.0.0.1:PORT/` of every sentinel.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let sentinels = self.sentinels.iter();
        sentinels
            .map(|sentinel| format!("redis://{}/", sentinel.addr))
            .collect()
    }

    /// `rediss://127.0.0.1:PORT/` of every sentinel that has a certificate.
    #[must_use]
    pub fn tls_urls(&self) -> Vec<String> {
        let addrs = self
            .sentinels
            .iter()
            .filter_map(|sentinel| sentinel.tls_addr);
        addrs.map(|addr| format!("rediss://{addr}/")).collect()
    }

    /// What the sentinels call the master.
    #[must_use]
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// The server that is the master at the start.
    pub fn first(&mut self) -> &mut RedisServer {
        &mut self.first
    }

    /// The server that is its replica at the start.
    pub fn second(&mut self) -> &mut RedisServer {
        &mut self.second
    }

    /// The port of the present master, as the first sentinel knows it.
    ///
    /// # Errors
    /// When the sentinel does not answer, or not as expected.
    pub async fn master(&self) -> io::Result<u16> {
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME];
        let reply = send(self.sentinels[0].addr, &words).await?;
        let port = reply.lines().last().and_then(|port| port.parse().ok());
        port.ok_or_else(|| io::Error::other(reply))
    }

    /// Has the sentinels make the replica the master; the old master lives on as a replica.
    ///
    /// # Errors
    /// When the sentinel refuses, or it does not happen within 20 seconds.
    pub async fn switch(&self) -> io::Result<()> {
        let before = self.master().await?;
        // The sentinel promotes nobody before it has heard from the replica.
        agreed("the promotion", async || {
            let words = ["SENTINEL", "FAILOVER", NAME];
            Ok(send(self.sentinels[0].addr, &words)
                .await?
                .starts_with("+OK"))
        })
        .await?;
        self.fails_over(before).await
    }

    /// Waits until the server that is not the master follows the one that is.
    ///
    /// # Errors
    /// When it does not happen within 20 seconds.
    pub async fn is_followed(&self) -> io::Result<()> {
        let master = self.master().await?;
        let follower = if self.first.port_for_servers() == master.to_string() {
            &self.second
        } else {
            &self.first
        };
        let of = format!("master_port:{master}\r\n");
        agreed("the replica", async || {
            let info = follower.command(&["INFO", "replication"]).await?;
            Ok(info.contains(&of) && info.contains("master_link_status:up"))
        })
        .await
    }

    /// Waits until the sentinels name another master than `before`.
    ///
    /// # Errors
    /// When it does not happen within 20 seconds.
    pub async fn fails_over(&self, before: u16) -> io::Result<()> {
        agreed("the failover", async || Ok(self.master().await? != before)).await
    }
}
