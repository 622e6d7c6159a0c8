//! `work`: a worker for whatever the store has.

use chrono::{DateTime, Utc};
use mailer_core::observer::{Event, Observer};
use mailer_core::{Drained, Mailer, Worker};
use tokio::sync::mpsc;

use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::output::{note, say};
use crate::relay::Relay;
use crate::stop::Stop;

pub(super) async fn work(
    mailer: &Mailer,
    options: &Options,
    until_idle: bool,
) -> Result<Ending, Failure> {
    let relay = Relay::open(options).await?;
    let stop = Stop::on_signals()?;
    let (events, mut told) = mpsc::unbounded_channel();
    let worker = Worker::builder(mailer)
        .relay("default", relay.transport())
        .observer(Log(events))
        .build()?;
    note(format_args!("working; the relay is {relay}"));
    let telling = tokio::spawn(async move {
        while let Some(line) = told.recv().await {
            note(line);
        }
    });
    let drained = if until_idle {
        worker.run_until_idle_or(stop.requested()).await
    } else {
        worker.run(stop.requested()).await
    };
    telling.abort();
    say(&drained)?;
    Ok(ending(&drained))
}

/// A supervisor should not start it again and again over a store that has lost what it had confirmed.
fn ending(drained: &Drained) -> Ending {
    if drained.stopped_by.is_some() {
        Ending::Halted
    } else if drained.untold > 0 {
        Ending::Failed
    } else {
        Ending::Done
    }
}

/// Writes what a person should know; the worker itself must not wait for stderr.
#[derive(Debug)]
struct Log(mpsc::UnboundedSender<String>);

impl Observer for Log {
    fn on(&self, _now: DateTime<Utc>, event: &Event) {
        let line = match event {
            Event::Deferred(deferral) => format!("{}: {deferral}", deferral.scope),
            Event::Halted {
                stream,
                cause,
                detail,
            } => format!("{stream}: halted: {cause} ({detail})"),
            Event::ConnectFailed { relay, detail } => {
                format!("relay {relay}: no connection: {detail}")
            }
            Event::StoreFailed { detail } => format!("store: {detail}"),
            _ => return,
        };
        // Nobody reads it any more at the very end.
        let _ = self.0.send(line);
    }
}
