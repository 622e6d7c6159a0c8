use std::io::Write;

use mailer_core::domain::{Address, Email, Mailbox};

use super::Unsendable;
use super::mailbox::write_address;
use crate::classify::{Class, HaltKind};
use crate::hello::Extensions;

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
    /// A local part that is not ASCII needs a relay with SMTPUTF8 (RFC 6531), also if it stands in a header only; a domain
    /// never does. `size` is that of the mail (RFC 1870).
    pub(crate) fn write(
        &mut self,
        email: &Email,
        size: usize,
        extensions: &Extensions,
    ) -> Result<(), Unsendable> {
        let (from, to) = (email.envelope_from(), email.to.address());
        let needs_utf8 = internationalised(email);
        if let Some((address, class)) = needs_utf8
            && !extensions.smtputf8
        {
            return Err(Unsendable::new(class, no_smtputf8(address.as_str())));
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(b"MAIL FROM:<");
        write_address(&mut self.bytes, from)
            .map_err(|error| error.with_class(Class::PermanentConfig(HaltKind::Sender)))?;
        self.bytes.push(b'>');
        if extensions.size {
            // Writing to a vector does not fail.
            let _ = write!(self.bytes, " SIZE={size}");
        }
        if needs_utf8.is_some() {
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

/// An address in envelope or headers whose local part is not ASCII, and what a mail is that cannot be sent because of it.
fn internationalised(email: &Email) -> Option<(&Address, Class)> {
    let of_sender = Class::PermanentConfig(HaltKind::Sender);
    let addresses = [
        (Some(email.envelope_from()), of_sender),
        (Some(email.from.address()), of_sender),
        (email.reply_to.as_ref().map(Mailbox::address), of_sender),
        // The address is good: what this connection's end lacks, the next one's may have.
        (Some(email.to.address()), Class::TransientRecipient),
    ];
    addresses
        .into_iter()
        .filter_map(|(address, class)| Some((address?, class)))
        .find(|(address, _)| !address.local().is_ascii())
}

fn no_smtputf8(address: &str) -> String {
    format!("not sent: {address} is not ASCII before the @, and the relay does not offer SMTPUTF8")
}
