//! The wish to stop: of the user, by a signal, or of the program itself.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::output::note;

#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Stop {
    /// Listens to SIGINT and SIGTERM: the first asks to stop, the second stops at once.
    pub(crate) fn on_signals() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::Signals);
        let interrupt = listen(SignalKind::interrupt())?;
        let terminate = listen(SignalKind::terminate())?;
        let stop = Self(watch::Sender::new(false));
        tokio::spawn(stop.clone().obey(interrupt, terminate));
        Ok(stop)
    }

    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }

    /// Waits for the wish to stop.
    pub(crate) async fn requested(&self) {
        // The sender is held right here, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }

    async fn obey(self, mut interrupt: Signal, mut terminate: Signal) {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => (),
                _ = terminate.recv() => (),
            }
        };
        next().await;
        note("stopping: what is in flight is finished first; once more stops at once");
        self.request();
        next().await;
        note("stopped at once: mails in flight may have been sent or not");
        process::exit(Ending::StoppedAtOnce as i32);
    }
}
