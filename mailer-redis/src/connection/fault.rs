//! What a failure of the server means to the caller.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mailer_core::Error;
use mailer_core::domain::Fault;
use redis::{ErrorKind, RedisError};

use super::address::Place;

const SOON: Duration = Duration::from_secs(1);
/// Until an operator has done something.
const LATER: Duration = Duration::from_secs(10);

/// At what a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// At the first connect of all: what is wrong there is a wrong configuration.
    FirstConnect,
    /// At a later one.
    Connect,
    /// At the command or script itself.
    Command(&'static str),
}

/// Whether another connection may succeed where this one failed.
pub(super) fn is_stale(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_unrecoverable_error() || is_of_another_time(error)
}

/// Whether the server has another role than it had, so that every connection to it is of no use.
pub(super) fn is_of_another_time(error: &RedisError) -> bool {
    matches!(
        error.code(),
        Some("READONLY" | "MASTERDOWN" | "LOADING" | "CLUSTERDOWN")
    )
}

/// No outcome within the bound of the call.
pub(super) fn late(op: &'static str, place: &Place, bound: Duration) -> Error {
    let detail = format!(
        "{place} does not answer within {bound:?}: it is stalled, overloaded or cut off; \
         what was asked may have been done"
    );
    Error::unavailable(op, detail, SOON)
}

/// A connection that was only listened on has ended.
pub(super) fn broken_off(op: &'static str, place: &Place) -> Error {
    Error::unavailable(op, format!("{place} broke off the subscription"), SOON)
}

/// The error of the library for one of Redis.
pub(super) fn describe(op: &'static str, place: &Place, at: At, error: &RedisError) -> Error {
    let unavailable =
        |why: &str, wait| Error::unavailable(op, format!("{place} {why}: {}", text(error)), wait);
    let misconfigured = |why: &str| {
        let (field, value) = place.login();
        let rule = format!("{place} {why}: {}", text(error));
        Error::invalid(op, vec![Fault::new(field, value, rule)])
    };
    let incompatible =
        |why: String| Error::incompatible(op, format!("{place} {why}: {}", text(error)));
    if error.kind() == ErrorKind::AuthenticationFailed {
        return match at {
            At::FirstConnect => misconfigured("refuses the user or the password"),
            // The password was right before: it is being changed, or the server takes no more clients.
            _ => unavailable(
                "refuses the user or the password, which it took before",
                LATER,
            ),
        };
    }
    match error.code().unwrap_or_default() {
        "ROLLEDBACK" => {
            let detail = error.detail().unwrap_or("the data is older than what was seen");
            // Redis adds where in the script it was raised.
            let detail = detail.split(" script: ").next().unwrap_or(detail);
            Error::rolled_back(op, format!("store_rolled_back: {detail} ({place})"))
        }
        "LOADING" => unavailable("is loading its data; wait until it has", SOON),
        "READONLY" => unavailable("is a replica; a failover may be under way", SOON),
        "MASTERDOWN" => unavailable("is a replica without its master", SOON),
        "CLUSTERDOWN" => unavailable("has slots that no node serves", SOON),
        "TRYAGAIN" | "MOVED" | "ASK" if matches!(place, Place::Cluster(_)) => {
            unavailable("is moving slots", SOON)
        }
        "MOVED" | "ASK" | "CROSSSLOT" => {
            misconfigured("is a node of a Cluster, use RedisConfig::cluster")
        }
        "BUSY" => unavailable("is busy with a script that does not end", SOON),
        "OOM" => unavailable("has no memory left; raise maxmemory or remove data", LATER),
        "NOREPLICAS" => unavailable("has too few replicas to accept writes", LATER),
        "MISCONF" => unavailable("cannot write to its disk and refuses changes", LATER),
        "WRONGPASS" | "NOAUTH" if at != At::Connect => misconfigured("wants a user and a password"),
        "WRONGPASS" | "NOAUTH" => unavailable("wants a user and a password", LATER),
        "NOPERM" => misconfigured("does not permit this to the user; grant it"),
        "WRONGTYPE" => incompatible(
            "has a key of another type under our namespace: another program uses it; choose another namespace"
                .to_owned(),
        ),
        _ => other(at, error).map_or_else(
            |wait| unavailable(&unreached(at, error), wait),
            |permanent| match permanent {
                Permanent::Configuration(why) => misconfigured(why),
                Permanent::Reply(what) => {
                    incompatible(format!("cannot run {what}: it is another server than expected, or this is a defect"))
                }
            },
        ),
    }
}

enum Permanent {
    Configuration(&'static str),
    Reply(&'static str),
}

/// What a failure without a code of its own is, or after which time it may be gone.
fn other(at: At, error: &RedisError) -> Result<Permanent, Duration> {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => match (error.detail(), at) {
            (Some(detail), _) if detail.contains("max number of clients") => Err(SOON),
            (Some(detail), _) if detail.contains("cluster support disabled") => Ok(
                Permanent::Configuration("is no Cluster, use RedisConfig::new"),
            ),
            (_, At::Command(what)) => Ok(Permanent::Reply(what)),
            _ => Ok(Permanent::Configuration("refuses the connection")),
        },
        ErrorKind::InvalidClientConfig | ErrorKind::EmptySentinelList => {
            Ok(Permanent::Configuration("cannot be reached like this"))
        }
        ErrorKind::MasterNameNotFoundBySentinel if at == At::FirstConnect => {
            Ok(Permanent::Configuration("is unknown to them"))
        }
        ErrorKind::Io if at == At::FirstConnect && is_distrust(error) => {
            Ok(Permanent::Configuration("cannot be trusted"))
        }
        ErrorKind::Client if at == At::FirstConnect => {
            Ok(Permanent::Configuration("cannot be trusted or spoken to"))
        }
        _ => Err(SOON),
    }
}

/// Whether its certificate is refused, which the TLS library reports as unreadable data.
fn is_distrust(error: &RedisError) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>())
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

fn unreached(at: At, error: &RedisError) -> String {
    match at {
        At::Command(what) if error.is_timeout() => {
            format!("does not answer {what} in time, which may have been done")
        }
        At::Command(what) => format!("broke off {what}, which may have been done"),
        _ if error.is_connection_refusal() => "cannot be reached; does it run there".to_owned(),
        _ => "cannot be reached".to_owned(),
    }
}

/// What the server said, in its words.
fn text(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}
