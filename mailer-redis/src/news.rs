//! The news of all processes.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::{StreamExt as _, stream};
use mailer_core::Error;
use mailer_core::news::{News, Subscription};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::connection::Link;
use crate::store::RedisStore;

const OP: &str = "news";

/// The one subscription of a process: made when the first of its workers listens, ended when none does.
#[derive(Debug, Default)]
pub(crate) struct Listening(Mutex<Weak<Listener>>);

#[derive(Debug)]
struct Listener {
    heard: watch::Receiver<Result<(), Error>>,
    task: JoinHandle<()>,
}

impl News for RedisStore {
    fn subscribe(&self) -> Subscription {
        Box::pin(stream::unfold(Ear::New(self.clone()), Ear::next))
    }
}

/// How far a worker's subscription is.
enum Ear {
    New(RedisStore),
    /// It keeps the listener alive, and knows what it has heard of it.
    Open(Arc<Listener>, watch::Receiver<Result<(), Error>>),
    Closed,
}

impl Ear {
    async fn next(self) -> Option<(Result<(), Error>, Self)> {
        let (listener, mut heard) = match self {
            Self::New(store) => {
                let listener = store.listening().listener(&store);
                let heard = listener.heard.clone();
                (listener, heard)
            }
            Self::Open(listener, heard) => (listener, heard),
            Self::Closed => return None,
        };
        // Its task went with another runtime, without a word.
        heard.changed().await.ok()?;
        let news = heard.borrow_and_update().clone();
        let next = match news {
            Ok(()) => Self::Open(listener, heard),
            Err(_) => Self::Closed,
        };
        Some((news, next))
    }
}

impl Listening {
    /// The listener of this process, a new one if none is alive.
    fn listener(&self, store: &RedisStore) -> Arc<Listener> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = held.upgrade().filter(|listener| listener.is_alive()) {
            return listener;
        }
        // Who listens sees the first piece as new, whenever it came.
        let (tell, heard) = watch::channel(Ok(()));
        let caller = store.caller();
        let tag = caller.namespace.tag();
        let task = tokio::spawn(listen(caller.link.clone(), tag, tell));
        let listener = Arc::new(Listener { heard, task });
        *held = Arc::downgrade(&listener);
        listener
    }
}

impl Listener {
    fn is_alive(&self) -> bool {
        self.heard.has_changed().is_ok()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes on what is published, until the connection ends.
async fn listen(link: Link, tag: String, tell: watch::Sender<Result<(), Error>>) {
    let (channel, key) = (format!("{tag}:news"), format!("{tag}:meta"));
    let error = match link.listen(OP, &channel, &key).await {
        Ok(mut messages) => {
            // That it stands is the first piece.
            while tell.send(Ok(())).is_ok() && messages.next().await.is_some() {}
            link.broke_off(OP)
        }
        Err(error) => error,
    };
    // Who has left does not need to know.
    let _left = tell.send(Err(error));
}
