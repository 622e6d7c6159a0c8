use std::borrow::Cow;

use mailer_core::domain::{Email, Outcome};

use super::date::write_date;
use super::field::{open, starts_with_ignoring_case, write_extra, write_text};
use super::mailbox::{a_labels, write_mailbox};
use crate::classify::{Class, HaltKind};

/// A mail that cannot be put into its wire form, what that makes of it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsendable {
    class: Class,
    why: String,
}

impl Unsendable {
    pub(crate) fn new(class: Class, why: String) -> Self {
        Self { class, why }
    }

    pub(super) fn message(why: String) -> Self {
        Self::new(Class::PermanentMessage, why)
    }

    /// The relay has said what it takes (RFC 1870), so it need not refuse.
    pub(crate) fn too_big(size: usize, limit: u64) -> Self {
        Self::message(format!(
            "not sent: the mail has {size} octets, and the relay takes {limit} (RFC 1870)"
        ))
    }

    pub(crate) fn with_class(self, class: Class) -> Self {
        Self { class, ..self }
    }

    pub(crate) fn outcome(self) -> Outcome {
        self.class.outcome(self.why, None)
    }
}

/// Writes the headers of one recipient's mail; those of its body come with the body.
pub(crate) fn write_head(out: &mut Vec<u8>, email: &Email) -> Result<(), Unsendable> {
    let of_sender = Class::PermanentConfig(HaltKind::Sender);
    write_mailbox(out, "From", &email.from, of_sender)?;
    write_mailbox(out, "To", &email.to, Class::PermanentRecipient)?;
    if let Some(reply_to) = &email.reply_to {
        write_mailbox(out, "Reply-To", reply_to, of_sender)?;
    }
    write_text(out, "Subject", &email.draft.subject)?;
    open(out, "Date");
    write_date(out, email.date);
    out.extend_from_slice(b"\r\n");
    write_message_id(out, &email.message_id)?;
    for (name, value) in &email.draft.headers {
        check_name(name)?;
        if name.starts_with('.') {
            // A line that begins with a dot has it doubled on the wire (RFC 5321 section 4.5.2).
            out.push(b'.');
        }
        write_extra(out, name, value)?;
    }
    Ok(())
}

/// Its domain may be that of the sender, and international like it.
fn write_message_id(out: &mut Vec<u8>, given: &str) -> Result<(), Unsendable> {
    let id = match given.rsplit_once('@') {
        Some((left, domain)) if !domain.is_ascii() => {
            Cow::Owned(format!("{left}@{}", a_labels(domain)?))
        }
        _ => Cow::Borrowed(given),
    };
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    if id.is_empty() || id.len() > 900 || !id.bytes().all(is_fit) {
        return Err(Unsendable::message(format!(
            "header Message-ID: {given:?} must be 1 to 900 printable ASCII characters without blanks and angle brackets"
        )));
    }
    open(out, "Message-ID");
    out.push(b'<');
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b">\r\n");
    Ok(())
}

/// Headers that the mail itself decides, or that would tell what no recipient should see.
const RESERVED: [&str; 10] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Bcc",
    "Sender",
    "Return-Path",
];

fn check_name(name: &str) -> Result<(), Unsendable> {
    // RFC 5322 section 3.6.8: printable ASCII but the colon; RFC 5322 section 2.1.1 bounds the line.
    let is_fit = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    if name.is_empty() || name.len() > 76 || !name.bytes().all(is_fit) {
        return Err(Unsendable::message(format!(
            "header {name:?}: a name is 1 to 76 printable ASCII characters without blanks and colons"
        )));
    }
    let is_reserved = RESERVED
        .iter()
        .any(|reserved| reserved.eq_ignore_ascii_case(name))
        || starts_with_ignoring_case(name, "content-");
    if is_reserved {
        return Err(Unsendable::message(format!(
            "header {name}: it is reserved and comes from the mail itself; a draft may not set it"
        )));
    }
    Ok(())
}
