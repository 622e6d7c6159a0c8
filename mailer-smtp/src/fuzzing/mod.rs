//! A door to what reads and writes the wire, for fuzzing and for the property tests beside it. No build for users has it.

use mailer_core::domain::{Email, Outcome};

use crate::hello::Extensions;
use crate::mail::Mail;
use crate::render::Bodies;
use crate::reply::{Inbox, Malformed};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// Reads replies out of bytes.
#[derive(Debug, Default)]
pub struct Replies {
    inbox: Inbox,
}

/// A reply that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadReply {
    /// The three digits.
    pub code: u16,
    /// Its words on one line.
    pub text: String,
    /// Class, subject and detail.
    pub enhanced: Option<[u16; 3]>,
    /// The wait that it asks for, in seconds.
    pub retry_after: Option<u64>,
}

/// The bytes are no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoReply;

impl Replies {
    /// Takes what was read.
    pub fn push(&mut self, piece: &[u8]) {
        self.inbox.space().extend_from_slice(piece);
    }

    /// The next whole reply.
    ///
    /// # Errors
    /// What was read is none.
    pub fn next_reply(&mut self) -> Result<Option<ReadReply>, NoReply> {
        let reply = self.inbox.next().map_err(|Malformed| NoReply)?;
        Ok(reply.map(|reply| ReadReply {
            code: reply.code(),
            text: reply.text(),
            enhanced: reply.enhanced().map(|enhanced| {
                let class = u16::from(enhanced.class);
                [class, enhanced.subject, enhanced.detail]
            }),
            retry_after: reply.retry_after().map(|wait| wait.as_secs()),
        }))
    }

    /// How many bytes it keeps.
    #[must_use]
    pub fn held(&self) -> usize {
        self.inbox.held()
    }
}

/// A mail as it goes onto the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// `MAIL FROM`, `RCPT TO` and `DATA`.
    pub commands: [Vec<u8>; 3],
    /// The mail, its final dot included.
    pub mail: Vec<u8>,
}

/// Puts a mail into its wire form.
///
/// # Errors
/// What became of it, if it has none.
pub fn wire_form(email: &Email, smtputf8: bool) -> Result<Wire, Outcome> {
    let offered = Extensions {
        smtputf8,
        ..Extensions::default()
    };
    let mut mail = Mail::default();
    mail.write(email.clone(), &offered, &Bodies::default())
        .map_err(|unsendable| unsendable.outcome())?;
    let envelope = &mail.envelope;
    assert_eq!(
        [envelope.mail(), envelope.rcpt(), envelope.data()].concat(),
        envelope.flight()
    );
    let commands = [envelope.mail(), envelope.rcpt(), envelope.data()].map(<[u8]>::to_vec);
    let mut pieces = mail.leading().collect::<Vec<_>>().concat();
    pieces.extend_from_slice(mail.last(None).0);
    Ok(Wire {
        commands,
        mail: pieces,
    })
}
