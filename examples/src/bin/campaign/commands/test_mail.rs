//! `test`: one mail through queue and limits like any other, and what became of it.

use std::time::Duration;

use mailer_core::domain::{Failure as DeliveryFailure, Fault, Reason, Recipient};
use mailer_core::queue::TicketState;
use mailer_core::{Error, Mailer, Ticket, Worker};

use super::submit::Prepared;
use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::output::{json, note, say};
use crate::relay::Relay;
use crate::stop::Stop;
use crate::store::{StoreUrl, open};

pub(super) async fn test(options: &Options, to: &str) -> Result<Ending, Failure> {
    let mailer = open(options).await?;
    let prepared = Prepared::read(options)?;
    let recipient = prepared.sample(to)?;
    // A worker of ours would send whatever else a shared store has, and this program only wants one mail sent.
    let is_ours = options.store == StoreUrl::Memory;
    let relay = if is_ours {
        Some(Relay::open(options).await?)
    } else {
        None
    };
    let stop = Stop::on_signals()?;
    prepared.policy.store(&mailer).await?;
    let ticket = mailer.enqueue_test(&prepared.content, recipient).await?;

    let waiting = async {
        let state = tokio::select! {
            state = until_known(&mailer, &ticket, is_ours) => state,
            () = stop.requested() => mailer.ticket(&ticket).await,
        };
        stop.request();
        state
    };
    let state = match &relay {
        None => waiting.await?,
        Some(relay) => {
            let worker = Worker::builder(&mailer)
                .relay("default", relay.transport())
                .build()?;
            let (_drained, state) = tokio::join!(worker.run(stop.requested()), waiting);
            state?
        }
    };
    let told = format!("test mail to {to}: {}", told(&state));
    if options.json {
        note(told);
        json(&state)?;
    } else {
        say(told)?;
        if let Some(relay) = relay {
            say(format_args!("relay     {relay}"))?;
        }
    }
    Ok(ending(&state))
}

impl Prepared {
    /// `to` with the merge fields of the first good row.
    fn sample(&self, to: &str) -> Result<Recipient, Failure> {
        let first = self
            .recipients
            .rows()
            .find_map(|row| row.recipient.ok()?.check().ok());
        let mut recipient = Recipient::new(to);
        if let Some(first) = first {
            for (field, value) in first.fields {
                recipient = recipient.field(field, value);
            }
        }
        recipient.clone().check().map_err(|faults| {
            let faults = faults
                .iter()
                .map(|fault| Fault::new("--to", fault.value(), fault.rule()))
                .collect();
            Error::invalid("test", faults)
        })?;
        Ok(recipient)
    }
}

/// Waits until it is final, or deferred by more than the start of a worker of ours.
async fn until_known(
    mailer: &Mailer,
    ticket: &Ticket,
    worker_starts: bool,
) -> Result<TicketState, Error> {
    loop {
        let state = mailer.wait(ticket, Duration::from_millis(100)).await?;
        let is_known = match &state {
            TicketState::Done(_) => true,
            TicketState::Waiting(deferral) => deferral
                .as_ref()
                .is_some_and(|deferral| !worker_starts || deferral.reason != Reason::NoWorker),
            TicketState::InFlight => false,
        };
        if is_known {
            return Ok(state);
        }
    }
}

fn told(state: &TicketState) -> String {
    match state {
        TicketState::Done(delivery) => {
            let failure = delivery
                .failure
                .map_or(String::new(), |failure| format!(": {failure}"));
            let detail = delivery
                .detail
                .as_ref()
                .map_or(String::new(), |detail| format!(" ({detail})"));
            format!("{}{failure}{detail}", delivery.state)
        }
        TicketState::Waiting(Some(deferral)) => format!("deferred: {deferral}"),
        TicketState::Waiting(None) => "not begun".to_owned(),
        TicketState::InFlight => "in flight".to_owned(),
    }
}

fn ending(state: &TicketState) -> Ending {
    match state {
        TicketState::Done(delivery) => match (delivery.state.as_str(), delivery.failure) {
            ("sent", _) => Ending::Done,
            (_, Some(DeliveryFailure::Config)) => Ending::Halted,
            _ => Ending::Failed,
        },
        TicketState::Waiting(_) => Ending::LeftWaiting,
        TicketState::InFlight => Ending::Failed,
    }
}
