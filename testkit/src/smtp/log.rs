use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use super::record::{Command, Connection, Transaction};
use crate::real_time::now;

/// What a server has seen; shared by its connections.
#[derive(Debug)]
pub(super) struct Log {
    /// Whether commands, connections and bodies are kept or only counted.
    in_full: bool,
    accepted: AtomicU64,
    mails: AtomicU64,
    changed: Notify,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) connections: Vec<Connection>,
    pub(super) commands: Vec<Command>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) peak: usize,
    open: HashSet<u64>,
}

/// A connection that counts as open until this is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub(super) number: u64,
    log: Arc<Log>,
}

impl Log {
    pub(super) fn new(in_full: bool) -> Arc<Self> {
        Arc::new(Self {
            in_full,
            accepted: AtomicU64::new(0),
            mails: AtomicU64::new(0),
            changed: Notify::new(),
            seen: Mutex::default(),
        })
    }

    pub(super) fn next_number(&self) -> u64 {
        self.accepted.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn open(self: &Arc<Self>, number: u64) -> OpenConnection {
        let mut seen = self.seen();
        seen.open.insert(number);
        seen.peak = seen.peak.max(seen.open.len());
        if self.in_full {
            seen.connections.push(Connection {
                number,
                opened_at: now(),
                closed_at: None,
                tls: false,
                user: None,
            });
        }
        OpenConnection {
            number,
            log: Arc::clone(self),
        }
    }

    pub(super) fn open_count(&self) -> usize {
        self.seen().open.len()
    }

    pub(super) fn command(&self, command: Command) {
        if self.in_full {
            self.seen().commands.push(command);
        }
    }

    pub(super) fn transaction(&self, transaction: Transaction) {
        let is_mail = transaction.is_mail();
        if self.in_full {
            self.seen().transactions.push(transaction);
        }
        if is_mail {
            self.mails.fetch_add(1, Ordering::Release);
            self.changed.notify_waiters();
        }
    }

    pub(super) fn mail_count(&self) -> u64 {
        self.mails.load(Ordering::Acquire)
    }

    pub(super) fn forget(&self) {
        let mut seen = self.seen();
        let open = std::mem::take(&mut seen.open);
        *seen = Seen {
            peak: open.len(),
            open,
            ..Seen::default()
        };
        self.mails.store(0, Ordering::Release);
    }

    pub(super) async fn wait_for_mails(&self, n: u64) {
        self.wait_until(|| self.mail_count() >= n).await;
    }

    pub(super) async fn wait_until_idle(&self) {
        self.wait_until(|| self.open_count() == 0).await;
    }

    async fn wait_until(&self, is_so: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if is_so() {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, number: u64, change: impl FnOnce(&mut Connection)) {
        let mut seen = self.seen();
        if let Some(connection) = seen.connections.iter_mut().rfind(|c| c.number == number) {
            change(connection);
        }
    }
}

impl OpenConnection {
    pub(super) fn over_tls(&self) {
        self.log
            .update(self.number, |connection| connection.tls = true);
    }

    pub(super) fn authenticated(&self, user: String) {
        self.log
            .update(self.number, |connection| connection.user = Some(user));
    }

    /// Counts it as closed from now on: to be called before the client can know.
    pub(super) fn close(&self) {
        if self.log.seen().open.remove(&self.number) {
            self.log.update(self.number, |connection| {
                connection.closed_at = Some(now());
            });
            self.log.changed.notify_waiters();
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.close();
    }
}
