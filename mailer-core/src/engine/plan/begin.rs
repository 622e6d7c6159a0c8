//! Asking the gate, and handing out what it lets go.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::call::StoreTime;
use super::hand::Hand;
use super::{Answer, Plan, Send, Step};
use crate::domain::{Deferral, Draft, Email};
use crate::gate::{BeginBatch, BeginReply, Verdict};
use crate::observer::Event;
use crate::schedule::term::SHORT_WAIT;

/// A call of the gate: the mails in question, and the connections that are kept for them.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    batch: BeginBatch,
    flights: Vec<u64>,
}

impl Plan {
    pub(super) fn next_begin(&mut self, now: Duration) -> Option<Step> {
        if let Some(asked) = self.begin.again(now) {
            return Some(Step::Begin(asked.batch));
        }
        if !self.begin.is_free() || self.stopping.is_some() {
            return None;
        }
        let mut flights = Vec::new();
        let mut allotment = self.scarcity.now(now);
        for (name, relay) in &self.relays {
            if relay.takes() > 0 {
                flights.extend(self.hand.draw(name, relay.takes(), &mut allotment));
            }
        }
        if flights.is_empty() {
            return None;
        }
        // Mails of one claim that stand together cost the gate little more than one.
        flights.sort_by_key(|flight| {
            let mail = self.hand.mail(*flight);
            mail.map(|mail| (mail.binding.lane, mail.claim))
        });
        let batch = BeginBatch {
            policy_version: self.policy_version,
            items: self.hand.items(&flights),
        };
        Some(Step::Begin(self.begin.ask(Asked { batch, flights }).batch))
    }

    pub(super) fn began(&mut self, now: Duration, answer: Answer<BeginReply>) {
        let (asked, reply) = match self.begin.answered(now, answer.result) {
            Ok(pair) => pair,
            Err(error) => return self.store_failed(error),
        };
        self.time = StoreTime::new(reply.server_now, answer.asked_at, now);
        self.learn_policy(now, reply.policy_version);
        self.scarcity.told(now, &asked.batch, &reply, self.time);
        let mut waits: Vec<Deferral> = Vec::new();
        for (flight, verdict) in asked.flights.into_iter().zip(reply.verdicts) {
            match verdict {
                Verdict::Go { send_by, dot_by } => {
                    self.go(flight, reply.server_now, send_by, dot_by);
                }
                Verdict::Limited(deferral) => {
                    let short = deferral
                        .until
                        .filter(|until| *until - reply.server_now < SHORT_WAIT);
                    match short.map(|until| self.time.wake(until)) {
                        Some(wake) if self.stopping.is_none() => {
                            if let Some(mail) = self.hand.mail(flight) {
                                self.scarcity.waits(&mail.binding, &deferral, wake);
                            }
                            self.hand.put_back(flight);
                        }
                        _ => {
                            self.release(&[flight]);
                            if !waits.contains(&deferral) {
                                waits.push(*deferral);
                            }
                        }
                    }
                }
                Verdict::PolicyChanged if self.stopping.is_none() => {
                    self.hand.put_back(flight);
                }
                Verdict::PolicyChanged => self.release(&[flight]),
                Verdict::Held => {
                    let stream = self
                        .hand
                        .mail(flight)
                        .map(|mail| mail.binding.stream.clone());
                    self.release(&[flight]);
                    let rest = self
                        .hand
                        .waiting(|mail| Some(&mail.binding.stream) == stream.as_ref());
                    self.release(&rest);
                }
                Verdict::Stale => {
                    self.hand.drop_mail(flight);
                }
            }
        }
        // The rest of what the same wait binds would only be refused, too.
        for deferral in waits {
            let rest = self
                .hand
                .waiting(|mail| Hand::is_deferred_by(mail, &deferral));
            self.release(&rest);
            self.scarcity.deferred(&deferral);
            self.events.push(Event::Deferred(deferral));
        }
    }

    fn go(
        &mut self,
        flight: u64,
        now: DateTime<Utc>,
        send_by: DateTime<Utc>,
        dot_by: DateTime<Utc>,
    ) {
        let relay = self
            .hand
            .mail(flight)
            .and_then(|mail| self.relays.get_mut(&mail.binding.relay));
        let connection = relay.and_then(super::relay::Relay::take);
        if let Some(carrier) = connection.and_then(|number| self.connections.get_mut(&number)) {
            carrier.in_flight += 1;
        }
        let Some((mail, draft)) = self.hand.fly(flight, now, connection) else {
            return;
        };
        let email = email_of(mail, draft, now, &self.setup.namespace);
        self.events.push(Event::Begun {
            stream: mail.binding.stream.clone(),
            key: mail.delivery.record.key().to_owned(),
        });
        match connection {
            Some(connection) => self.steps.push_back(Step::Send(Box::new(Send {
                connection,
                flight,
                send_by: self.time.deadline(send_by),
                dot_by: self.time.deadline(dot_by),
                email,
            }))),
            // The connection that waited for it is gone: it has not reached `MAIL FROM`, and asks anew.
            None => self.finished(flight, crate::domain::Outcome::NotStarted),
        }
    }
}

fn email_of(mail: &super::mail::Mail, draft: Draft, now: DateTime<Utc>, namespace: &str) -> Email {
    let letter = Arc::clone(&mail.delivery.letter);
    let record = &mail.delivery.record;
    let id = Sha256::new()
        .chain_update(namespace)
        .chain_update([0])
        .chain_update(mail.binding.stream.as_str())
        .chain_update([0])
        .chain_update(record.key())
        .finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&id[..16]);
    let id = u128::from_be_bytes(half);
    Email {
        message_id: format!("{id:032x}@{}", letter.from.address().domain()),
        date: mail.delivery.repeats.unwrap_or(now),
        from: letter.from.clone(),
        return_path: letter
            .return_path
            .as_ref()
            .map(|path| path.of(record.to.address())),
        reply_to: letter.reply_to.clone(),
        to: record.to.clone(),
        draft,
    }
}
