//! What lettre's transports answer, put into outcomes.

use std::any::Any;
use std::error::Error;

use lettre::transport::smtp;
use lettre::transport::smtp::response::Severity;
use mailer_core::domain::Outcome;

use crate::classify::{Class, HaltKind, Stage, classify};
use crate::reply::Inbox;

/// What an error means. Unknown, unless it says that the mail cannot have been taken.
pub(super) fn outcome<E: Error + 'static>(error: &E) -> Outcome {
    let any: &dyn Any = error;
    match any.downcast_ref::<smtp::Error>() {
        Some(error) => of_smtp(error),
        None => Outcome::Unknown {
            reply: error.to_string(),
        },
    }
}

/// What an answer without an error means. Sent, unless a relay said something else than that it took the mail: to lettre a
/// reply that asks for more is no error.
pub(super) fn answered<T: 'static>(answer: &T) -> Outcome {
    let any: &dyn Any = answer;
    if let Some(response) = any.downcast_ref::<smtp::response::Response>() {
        let words: Vec<&str> = response.message().collect();
        let reply = format!("{} {}", response.code(), words.join(" "));
        return match response.code().severity {
            Severity::PositiveCompletion => Outcome::Sent { reply },
            _ => Outcome::Unknown { reply },
        };
    }
    Outcome::Sent {
        reply: any.downcast_ref::<String>().cloned().unwrap_or_default(),
    }
}

fn of_smtp(error: &smtp::Error) -> Outcome {
    let words = error.to_string();
    if let Some(code) = error.status() {
        let said = error.source().map(ToString::to_string);
        let outcome = of_reply(&format!("{code} {}", said.unwrap_or_default()));
        return outcome.unwrap_or(Outcome::Unknown { reply: words });
    }
    match before_mail(error, &words) {
        Some(class) => class.outcome(words, None),
        None => Outcome::Unknown { reply: words },
    }
}

/// What it means if it came before `MAIL FROM`, which lettre does not say: there is no connection, no common login, no
/// encryption, or the relay lacks what this mail needs. All of lettre's own complaints come that early.
fn before_mail(error: &smtp::Error, words: &str) -> Option<Class> {
    let has = |what| words.contains(what);
    if error.is_client() {
        return Some(if has("STARTTLS") {
            Class::PermanentConfig(HaltKind::Tls)
        } else if has("authentication mechanism") {
            Class::PermanentConfig(HaltKind::Credentials)
        } else if has("non-ascii") {
            Class::PermanentMessage
        } else {
            Class::TransientRelay
        });
    }
    // There is no question for this kind, so its first words are what there is.
    let is_early = error.is_transport_shutdown() || words.starts_with("Connection error");
    is_early.then_some(Class::TransientRelay)
}

/// As the same reply to the final dot; but nothing is accepted by it, and a login that is refused is no matter of a mail.
fn of_reply(said: &str) -> Option<Outcome> {
    let line = said.replace(['\r', '\n'], " ");
    let mut inbox = Inbox::default();
    inbox.space().extend_from_slice(line.as_bytes());
    inbox.space().extend_from_slice(b"\r\n");
    let found = inbox.find().ok().flatten()?;
    let reply = inbox.reply(found);
    let verdict = classify(Stage::Dot, reply);
    let class = match reply.code() {
        530 | 534 | 535 | 538 => Class::PermanentConfig(HaltKind::Credentials),
        _ => verdict.class,
    };
    match class {
        Class::Accepted | Class::Unknown => None,
        class => Some(class.outcome(reply.text(), verdict.wait)),
    }
}
