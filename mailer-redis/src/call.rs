//! Calling a script.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::clock::Clock;

use crate::args::Args;
use crate::connection::Link;
use crate::micros::Micros;
use crate::namespace::Namespace;
use crate::reply::Reply;
use crate::script::Script;

/// Runs scripts for one namespace.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) link: Link,
    pub(crate) namespace: Namespace,
    /// The time, where the server's own is not to be taken.
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// The identity of the data that this process has worked with; empty for a limiter that stands alone.
    pub(crate) identity: String,
    /// Whether data that is older than what was confirmed is worked with all the same.
    pub(crate) tolerates_rollback: bool,
    /// The highest number of a change that a reply has confirmed, and the mark of that change. Data that has not got so
    /// far, or whose change of that number is another, was rolled back.
    seen: Mutex<(u64, u32)>,
    /// The server's time in the last reply, by which tables are made for the next call.
    last_now: AtomicU64,
}

/// A reply and the instant at which the server gave it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) now: Micros,
    pub(crate) reply: Reply,
}

impl Caller {
    pub(crate) fn new(
        link: Link,
        namespace: Namespace,
        clock: Option<Arc<dyn Clock>>,
        identity: String,
    ) -> Self {
        Self {
            link,
            namespace,
            clock,
            identity,
            tolerates_rollback: false,
            seen: Mutex::default(),
            last_now: AtomicU64::new(0),
        }
    }

    /// Runs a script. Every script begins by reading the time, the identity and the number of the last change.
    pub(crate) async fn call(
        &self,
        op: &'static str,
        script: &'static Script,
        args: &Args,
    ) -> Result<Answer, Error> {
        let now = self.clock.as_ref().map(|clock| Micros::from(clock.now()));
        let (seen, mark) = match self.tolerates_rollback {
            true => (0, 0),
            false => *self.seen(),
        };
        let mut head = Args::new();
        head.at_or_none(now)
            .text(&self.identity)
            .int(seen)
            .int(mark)
            .int(fastrand::u32(..));
        let mut invocation = script.compiled.prepare_invoke();
        // Two names, of which the first is no key: while their slot moves between nodes of a Cluster one of them is always
        // missing, so that no script runs on half of the data.
        invocation
            .key(self.namespace.tag())
            .key(format!("{}:meta", self.namespace.tag()));
        for part in head.parts().chain(args.parts()) {
            invocation.arg(part);
        }
        let value = self.link.invoke(op, script.name, &invocation).await?;
        let mut reply = Reply::new(op, value)?;
        let confirmed = (reply.count()?, reply.count()?);
        {
            let mut seen = self.seen();
            // Replies may be read in another order than they were given in.
            if confirmed.0 > seen.0 {
                *seen = confirmed;
            }
        }
        let now = reply.at()?;
        self.last_now
            .store(now.get().unsigned_abs(), Ordering::Release);
        Ok(Answer { now, reply })
    }

    fn seen(&self) -> MutexGuard<'_, (u64, u32)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// About what time it is on the server: what tables are made for. A script that meets another instant asks anew.
    pub(crate) fn about_now(&self) -> Micros {
        match (&self.clock, self.last_now.load(Ordering::Acquire)) {
            (Some(clock), _) => clock.now().into(),
            (None, 0) => Micros::from(DateTime::<Utc>::default()),
            (None, now) => Micros::new(i64::try_from(now).unwrap_or(i64::MAX)),
        }
    }
}
