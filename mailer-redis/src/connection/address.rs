//! Where the server is: from what was configured to what can be dialled.

use std::fmt;
use std::time::Duration;

use mailer_core::domain::Fault;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, TlsCertificates,
};
use url::Url;

use super::cluster::Cluster;
use super::config::RedisConfig;
use super::sentinel::Sentinels;

const URL_RULE: &str =
    "write redis://[user:password@]host[:port][/db], rediss://… for TLS, or unix:///path";

/// What was configured.
#[derive(Clone)]
pub(super) enum Place {
    Server(String),
    Cluster(Vec<String>),
    Sentinels { urls: Vec<String>, master: String },
    Client(Client),
}

/// What can be dialled.
pub(super) struct Address {
    pub(super) target: Target,
    pub(super) tls: bool,
}

pub(super) enum Target {
    Server(Client),
    Cluster(Cluster),
    Sentinels(Sentinels),
}

impl Address {
    /// The address of a configuration, or what is wrong with it.
    pub(super) fn of(config: &RedisConfig) -> Result<Self, Vec<Fault>> {
        let roots = config.roots.as_deref();
        let tls;
        let target = match &config.place {
            Place::Server(url) => {
                let info = parse("url", url, roots).map_err(|fault| vec![fault])?;
                tls = is_tls(&info);
                client("url", url, info).map(Target::Server)
            }
            Place::Client(given) => {
                let info = settled(given.get_connection_info().clone());
                tls = is_tls(&info);
                client("client", "", info).map(Target::Server)
            }
            Place::Cluster(urls) => {
                let nodes = parse_all(urls, roots)?;
                tls = nodes.iter().any(is_tls);
                Cluster::new(config, nodes, urls).map(Target::Cluster)
            }
            Place::Sentinels { urls, master } => {
                if master.is_empty() {
                    let rule = "name the master as the sentinels do";
                    return Err(vec![Fault::new("master", "", rule)]);
                }
                let sentinels = parse_all(urls, roots)?;
                tls = sentinels.iter().any(is_tls);
                Sentinels::new(sentinels, master, config.sentinel_login.as_ref())
                    .map(Target::Sentinels)
                    .map_err(|error| Fault::new("urls", masked(&urls[0]), error.to_string()))
            }
        };
        Ok(Self {
            target: target.map_err(|fault| vec![fault])?,
            tls,
        })
    }
}

fn parse_all(urls: &[String], roots: Option<&[u8]>) -> Result<Vec<ConnectionInfo>, Vec<Fault>> {
    if urls.is_empty() {
        return Err(vec![Fault::new("urls", "", "at least one is needed")]);
    }
    let mut faults = Vec::new();
    let parsed = urls
        .iter()
        .filter_map(|url| {
            parse("urls", url, roots)
                .map_err(|fault| faults.push(fault))
                .ok()
        })
        .collect();
    if faults.is_empty() {
        Ok(parsed)
    } else {
        Err(faults)
    }
}

fn parse(field: &str, url: &str, roots: Option<&[u8]>) -> Result<ConnectionInfo, Fault> {
    let wrong = |rule: String| Fault::new(field, masked(url), rule);
    let info = url
        .into_connection_info()
        .map_err(|error| wrong(format!("{error}: {URL_RULE}")))?;
    let info = match roots {
        Some(pem) if url.starts_with("rediss:") || url.starts_with("valkeys:") => {
            Client::build_with_tls(info, certificates(pem))
                .map_err(|error| Fault::new("root_certificates", "", error.to_string()))?
                .get_connection_info()
                .clone()
        }
        _ => info,
    };
    Ok(settled(info))
}

fn client(field: &str, url: &str, info: ConnectionInfo) -> Result<Client, Fault> {
    Client::open(info).map_err(|error| Fault::new(field, masked(url), error.to_string()))
}

fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

pub(super) fn certificates(pem: &[u8]) -> TlsCertificates {
    TlsCertificates {
        client_tls: None,
        root_cert: Some(pem.to_vec()),
    }
}

/// The same login and way of encryption at another address; without a host, at another port.
pub(super) fn elsewhere(info: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = match info.addr() {
        ConnectionAddr::Tcp(own, _) | ConnectionAddr::TcpTls { host: own, .. }
            if host.is_empty() =>
        {
            own.clone()
        }
        _ => host.to_owned(),
    };
    let addr = match info.addr() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.clone().set_addr(addr)
}

/// With our settings of the socket, and the protocol in which replies are read.
fn settled(info: ConnectionInfo) -> ConnectionInfo {
    let login = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP2);
    info.set_redis_settings(login).set_tcp_settings(tcp())
}

/// A connection that a firewall has forgotten is noticed between two calls, not by one.
pub(super) fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5));
    TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
}

/// The URL without its password.
pub(super) fn masked(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // Fails only where there can be no password.
            let _ = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        Ok(_) => url.to_owned(),
        // What cannot be read may hold a password anywhere before the last @.
        Err(_) => match url.rsplit_once('@') {
            Some((_, host)) => format!("***@{host}"),
            None => url.to_owned(),
        },
    }
}

/// What errors call the server: never with a password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(url) => write!(f, "redis at {}", host(url)),
            Self::Client(client) => write!(f, "redis at {}", client.get_connection_info().addr()),
            Self::Cluster(urls) => write!(f, "redis cluster at {}", hosts(urls)),
            Self::Sentinels { urls, master } => {
                let sentinels = hosts(urls);
                write!(
                    f,
                    "redis master {master:?} behind the sentinels at {sentinels}"
                )
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Place {
    /// The value at fault where the server does not let us in.
    pub(super) fn login(&self) -> (&'static str, String) {
        match self {
            Self::Server(url) => ("url", masked(url)),
            Self::Cluster(urls) | Self::Sentinels { urls, .. } => (
                "urls",
                urls.first().map(|url| masked(url)).unwrap_or_default(),
            ),
            Self::Client(client) => ("client", client.get_connection_info().addr().to_string()),
        }
    }
}

fn host(url: &str) -> String {
    url.into_connection_info()
        .map_or_else(|_| masked(url), |info| info.addr().to_string())
}

fn hosts(urls: &[String]) -> String {
    let hosts: Vec<_> = urls.iter().map(|url| host(url)).collect();
    hosts.join(", ")
}
