//! A look at the server and the namespace before anything is asked of them.

use mailer_core::domain::Fault;
use mailer_core::{Error, ErrorKind};
use redis::{Cmd, Value, cmd};

use super::durability::Durability;
use super::info::{Info, is_new_enough};
use super::{Inner, Request};
use crate::namespace::Namespace;

const OP: &str = "connect";
/// The version of the layout of keys.
const FORMAT: &str = "1";

/// What was found when the store connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerReport {
    servers: Vec<ServerState>,
    warnings: Vec<String>,
}

/// One server: the only one, the master, or one master of a Cluster. What it does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerState {
    /// Where it is, as errors name it.
    pub address: String,
    /// Its program and version: `redis 7.0.15`, `valkey 8.1.1`.
    pub version: Option<String>,
    /// Whether it keeps an append-only file.
    pub append_only: Option<bool>,
    /// What it does when its memory is full: `noeviction` is the only safe answer.
    pub eviction_policy: Option<String>,
    /// `master`, or `slave` for a replica.
    pub role: Option<String>,
}

impl ServerReport {
    /// The servers that were asked.
    #[must_use]
    pub fn servers(&self) -> &[ServerState] {
        &self.servers
    }

    /// What an operator should know, in sentences; which are errors is chosen by [`Durability`].
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Looks at the servers and the namespace.
pub(super) async fn inspect(
    inner: &Inner,
    namespace: &Namespace,
    durability: Durability,
) -> Result<ServerReport, Error> {
    let mut report = ServerReport::default();
    match infos(inner).await {
        Ok(infos) => {
            for (address, info) in infos {
                check_server(inner, &mut report, address, &info, durability)?;
            }
        }
        // A user without the right to ask is told what could not be seen.
        Err(error) if error.kind() == ErrorKind::Invalid => report.warnings.push(format!(
            "version, durability and role of the server are unknown: {error}"
        )),
        Err(error) => return Err(error),
    }
    check_namespace(inner, namespace).await?;
    Ok(report)
}

/// Every server's name and its reply to `INFO`.
async fn infos(inner: &Inner) -> Result<Vec<(String, Info)>, Error> {
    let reply = inner
        .run(OP, "INFO", Request::Everywhere(&cmd("INFO")))
        .await?;
    Ok(match reply {
        Value::Map(nodes) => nodes
            .into_iter()
            .map(|(node, info)| {
                (
                    format!("redis at {}", text(&node)),
                    Info::parse(&text(&info)),
                )
            })
            .collect(),
        one => vec![(inner.place.to_string(), Info::parse(&text(&one)))],
    })
}

fn check_server(
    inner: &Inner,
    report: &mut ServerReport,
    address: String,
    info: &Info,
    durability: Durability,
) -> Result<(), Error> {
    // Valkey answers with the last version of Redis that it is compatible with, and its own beside it.
    let redis_version = info.get("redis_version");
    let version = match info.get("server_name").zip(info.get("valkey_version")) {
        Some((name, version)) => Some(format!("{name} {version}")),
        None => redis_version.map(|version| format!("redis {version}")),
    };
    let state = ServerState {
        version,
        append_only: info.get("aof_enabled").map(|enabled| enabled == "1"),
        eviction_policy: info.get("maxmemory_policy").map(str::to_owned),
        role: info.get("role").map(str::to_owned),
        address,
    };
    let at = &state.address;
    if let Some(version) = redis_version.filter(|version| !is_new_enough(version)) {
        let detail = format!("{at} is of version {version}; 7.0 or newer is needed, or Valkey");
        return Err(Error::incompatible(OP, detail));
    }
    if redis_version.is_none() {
        report.warnings.push(format!(
            "{at} does not tell its version; 7.0 or newer is needed"
        ));
    }
    for (broken, strict, sentence) in shortcomings(&state) {
        if !broken {
            continue;
        }
        if durability == Durability::AppendOnly || strict && durability != Durability::Unchecked {
            let (field, value) = inner.place.login();
            let rule = format!("{sentence} (or choose another Durability)");
            return Err(Error::invalid(OP, vec![Fault::new(field, value, rule)]));
        }
        report.warnings.push(sentence);
    }
    report.servers.push(state);
    Ok(())
}

/// What is not as it should be: whether it is so, whether it is an error by default, and what to do.
fn shortcomings(state: &ServerState) -> [(bool, bool, String); 3] {
    let at = &state.address;
    let policy = state.eviction_policy.as_deref().unwrap_or("noeviction");
    [
        (
            state.role.as_deref().is_some_and(|role| role != "master"),
            true,
            format!(
                "{at} is a replica, which refuses writes: connect to its master, or through sentinels"
            ),
        ),
        (
            policy != "noeviction",
            true,
            format!(
                "{at} has maxmemory-policy {policy}, which drops keys when memory is full, \
                 so that mail is lost or sent twice: set it to noeviction"
            ),
        ),
        (
            state.append_only == Some(false),
            false,
            format!(
                "{at} keeps no append-only file, so that a restart forgets what was sent last, \
                 and it is sent again: set appendonly to yes"
            ),
        ),
    ]
}

/// The namespace must be ours or empty.
async fn check_namespace(inner: &Inner, namespace: &Namespace) -> Result<(), Error> {
    let key = format!("{}:meta", namespace.tag());
    let kind = ask(inner, "TYPE", cmd("TYPE").arg(&key)).await?;
    if kind == "none" {
        return Ok(());
    }
    let place = &inner.place;
    if kind != "hash" {
        let detail = format!(
            "the key {key} at {place} is a {kind}, not a hash: another program uses this namespace; choose another"
        );
        return Err(Error::incompatible(OP, detail));
    }
    let format = ask(inner, "HGET", cmd("HGET").arg(&key).arg("format")).await?;
    if format == FORMAT {
        return Ok(());
    }
    if format.is_empty() {
        let detail = format!(
            "the hash {key} at {place} has no field \"format\": another program uses this namespace; choose another"
        );
        return Err(Error::incompatible(OP, detail));
    }
    let detail = format!(
        "the data under {namespace} at {place} is of format {format:?}, this version knows format {FORMAT:?}: \
         upgrade this program, or choose another namespace"
    );
    Err(Error::incompatible(OP, detail))
}

async fn ask(inner: &Inner, what: &'static str, command: &Cmd) -> Result<String, Error> {
    let reply = inner.run(OP, what, Request::Command(command)).await?;
    Ok(text(&reply))
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.clone(),
        _ => String::new(),
    }
}
