//! The way to the server.

mod address;
mod cluster;
mod config;
mod dial;
mod durability;
mod fault;
mod info;
mod inspect;
mod line;
mod sentinel;
#[cfg(test)]
mod tests;

pub use config::RedisConfig;
pub use durability::Durability;
pub use inspect::{ServerReport, ServerState};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mailer_core::Error;
use mailer_core::clock::{Clock, SystemClock};
use redis::aio::PubSubStream;
use redis::{Cmd, RedisResult, ScriptInvocation, Value};

use address::Place;
use dial::{Connection, Dialer};
use fault::{At, broken_off, describe, is_of_another_time, is_stale, late};
use line::Line;

/// A way to the server that mends itself. Every call ends within its bound, and its clones share the connections.
///
/// A few connections, each shared by any number of calls: that is faster than to lend one to each call. One that fails
/// is replaced by the next call that wants it. Because every script can be repeated, a call whose connection broke is
/// tried once more on a new one.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    place: Place,
    dialer: Dialer,
    lines: Vec<Line>,
    turn: AtomicUsize,
    bound: Duration,
    report: ServerReport,
}

/// What is sent.
#[derive(Clone, Copy)]
enum Request<'a> {
    Script(&'a ScriptInvocation<'a>),
    Command(&'a Cmd),
    /// A command to every master of a Cluster, which answers with a map.
    Everywhere(&'a Cmd),
}

/// An error, and where.
type Failed = (At, redis::RedisError);

impl Link {
    /// Connects, and looks at the server and at the namespace: nothing is written.
    pub(crate) async fn open(config: &RedisConfig) -> Result<Self, Error> {
        let (namespace, address) = config.check("connect")?;
        let mut inner = Inner {
            place: config.place.clone(),
            dialer: Dialer::new(address, config.waits),
            lines: (0..config.connections).map(|_| Line::default()).collect(),
            turn: AtomicUsize::new(0),
            bound: config.waits.call(),
            report: ServerReport::default(),
        };
        inner.greet().await?;
        inner.report = inspect::inspect(&inner, &namespace, config.durability).await?;
        Ok(Self(Arc::new(inner)))
    }

    /// Runs a script, loading it where the server does not know it.
    pub(crate) async fn invoke(
        &self,
        op: &'static str,
        script: &'static str,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<Value, Error> {
        self.0.run(op, script, Request::Script(invocation)).await
    }

    /// Runs one command, which must be one that can be repeated.
    #[cfg(test)]
    pub(crate) async fn command(&self, op: &'static str, command: &Cmd) -> Result<Value, Error> {
        self.0.run(op, op, Request::Command(command)).await
    }

    /// Listens to a channel, on a connection of its own that ends with the stream. In a Cluster to the node that has `key`,
    /// where the scripts publish: so it does not matter which nodes hear each other.
    pub(crate) async fn listen(
        &self,
        op: &'static str,
        channel: &str,
        key: &str,
    ) -> Result<PubSubStream, Error> {
        let place = &self.0.place;
        let subscribed = self.0.within(op, async {
            let dialled = self.0.dialer.dial_for_news(key).await;
            let mut line = dialled.map_err(|error| describe(op, place, At::Connect, &error))?;
            let at = At::Command("SUBSCRIBE");
            match line.subscribe(channel).await {
                Ok(()) => Ok(line.into_on_message()),
                Err(error) => Err(describe(op, place, at, &error)),
            }
        });
        subscribed.await
    }

    /// The subscription came to an end by itself.
    pub(crate) fn broke_off(&self, op: &'static str) -> Error {
        broken_off(op, &self.0.place)
    }

    /// What was found when it was opened.
    pub(crate) fn report(&self) -> &ServerReport {
        &self.0.report
    }
}

impl Inner {
    /// The first connect of all.
    async fn greet(&self) -> Result<(), Error> {
        let dialled = self.within("connect", async {
            Ok(self.lines[0].connection(&self.dialer).await)
        });
        match dialled.await? {
            Ok(_) => Ok(()),
            Err(error) => Err(describe("connect", &self.place, At::FirstConnect, &error)),
        }
    }

    async fn run(
        &self,
        op: &'static str,
        what: &'static str,
        request: Request<'_>,
    ) -> Result<Value, Error> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let line = &self.lines[turn % self.lines.len()];
        let answer = self.within(op, async {
            Ok(match self.once(line, what, request).await {
                Err((At::Command(_), error)) if is_stale(&error) => {
                    self.once(line, what, request).await
                }
                done => done,
            })
        });
        answer
            .await?
            .map_err(|(at, error)| describe(op, &self.place, at, &error))
    }

    /// One try. A connection that failed is not used again.
    async fn once(
        &self,
        line: &Line,
        what: &'static str,
        request: Request<'_>,
    ) -> Result<Value, Failed> {
        let mut ready = line
            .connection(&self.dialer)
            .await
            .map_err(|error| (At::Connect, error))?;
        let answer = request.send(&mut ready.connection).await;
        answer.map_err(|error| {
            // A connection through which nothing comes back may be dead without knowing it.
            if is_stale(&error) || error.is_timeout() {
                line.forget(&ready);
            }
            if is_of_another_time(&error) {
                self.lines.iter().for_each(Line::clear);
            }
            (At::Command(what), error)
        })
    }

    async fn within<T>(
        &self,
        op: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = call => done,
            () = SystemClock.sleep(self.bound) => Err(late(op, &self.place, self.bound)),
        }
    }
}

impl Request<'_> {
    async fn send(self, connection: &mut Connection) -> RedisResult<Value> {
        match self {
            Self::Script(invocation) => invocation.invoke_async(connection).await,
            Self::Command(command) => command.query_async(connection).await,
            Self::Everywhere(command) => connection.everywhere(command).await,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.0.place).finish()
    }
}
