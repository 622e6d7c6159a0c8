use mailer_core::domain::Email;

use super::Unsendable;
use super::mailbox::write_address;
use crate::classify::{Class, HaltKind};

/// The commands that introduce a mail: `MAIL FROM`, `RCPT TO` and `DATA`.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    bytes: Vec<u8>,
    rcpt: usize,
    data: usize,
}

impl Envelope {
    /// Writes them (RFC 5321 section 4.1.1), in place of the last ones.
    ///
    /// A local part that is not ASCII needs a relay with SMTPUTF8 (RFC 6531); a domain never does.
    pub(crate) fn write(&mut self, email: &Email, has_smtputf8: bool) -> Result<(), Unsendable> {
        let (from, to) = (email.envelope_from(), email.to.address());
        let needs_utf8 = |local: &str| !local.is_ascii();
        if needs_utf8(from.local()) && !has_smtputf8 {
            let class = Class::PermanentConfig(HaltKind::Sender);
            return Err(Unsendable::new(class, no_smtputf8(from.as_str())));
        }
        if needs_utf8(to.local()) && !has_smtputf8 {
            return Err(Unsendable::new(
                Class::PermanentRecipient,
                no_smtputf8(to.as_str()),
            ));
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(b"MAIL FROM:<");
        write_address(&mut self.bytes, from)
            .map_err(|error| error.with_class(Class::PermanentConfig(HaltKind::Sender)))?;
        self.bytes.push(b'>');
        if needs_utf8(from.local()) || needs_utf8(to.local()) {
            self.bytes.extend_from_slice(b" SMTPUTF8");
        }
        self.bytes.extend_from_slice(b"\r\n");
        self.rcpt = self.bytes.len();
        self.bytes.extend_from_slice(b"RCPT TO:<");
        write_address(&mut self.bytes, to)
            .map_err(|error| error.with_class(Class::PermanentRecipient))?;
        self.bytes.extend_from_slice(b">\r\n");
        self.data = self.bytes.len();
        self.bytes.extend_from_slice(b"DATA\r\n");
        Ok(())
    }

    /// All three in one.
    pub(crate) fn flight(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn mail(&self) -> &[u8] {
        &self.bytes[..self.rcpt]
    }

    pub(crate) fn rcpt(&self) -> &[u8] {
        &self.bytes[self.rcpt..self.data]
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.data..]
    }
}

fn no_smtputf8(address: &str) -> String {
    format!("not sent: {address} is not ASCII before the @, and the relay does not offer SMTPUTF8")
}
