use mailer_core::domain::{Address, Mailbox};

use super::Unsendable;
use super::encoded_word::write_encoded;
use super::field::{check_value, is_printable, open, write_folded};
use crate::classify::Class;

/// A-labels are longer than what stands in the address; relays hold both to the same limit.
const LONGEST_ADDRESS: usize = 254;

/// Writes a header of one mailbox, such as `From`. `blame` is what an address that cannot be written makes of the mail.
pub(super) fn write_mailbox(
    out: &mut Vec<u8>,
    header: &str,
    mailbox: &Mailbox,
    blame: Class,
) -> Result<(), Unsendable> {
    let write_address = |out: &mut Vec<u8>| {
        write_address(out, mailbox.address()).map_err(|error| error.with_class(blame))
    };
    let mut column = open(out, header);
    let Some(name) = mailbox.name() else {
        write_address(out)?;
        out.extend_from_slice(b"\r\n");
        return Ok(());
    };
    check_value(header, name)?;
    column = if name.bytes().all(is_phrase) {
        write_folded(out, header, name, column)?
    } else if is_printable(name) && !name.contains("=?") {
        write_folded(out, header, &quoted(name), column)?
    } else {
        write_encoded(out, name, column)
    };
    // An address has up to 254 octets and no blank, so this is the last place to fold.
    let fold: &[u8] = if column + mailbox.address().as_str().len() + 3 > 78 {
        b"\r\n <"
    } else {
        b" <"
    };
    out.extend_from_slice(fold);
    write_address(out)?;
    out.extend_from_slice(b">\r\n");
    Ok(())
}

/// Writes `local@domain`, an international domain as its A-labels (RFC 5890).
pub(super) fn write_address(out: &mut Vec<u8>, address: &Address) -> Result<(), Unsendable> {
    let (local, domain) = (address.local(), address.domain());
    out.extend_from_slice(local.as_bytes());
    out.push(b'@');
    if domain.is_ascii() {
        out.extend_from_slice(domain.as_bytes());
        return Ok(());
    }
    let labels = a_labels(domain)?;
    if local.len() + 1 + labels.len() > LONGEST_ADDRESS {
        return Err(Unsendable::message(format!(
            "{address} has more than {LONGEST_ADDRESS} octets with the ASCII form of its domain (RFC 5321, 4.5.3.1.3)"
        )));
    }
    out.extend_from_slice(labels.as_bytes());
    Ok(())
}

/// An international domain in ASCII (RFC 5890).
pub(super) fn a_labels(domain: &str) -> Result<String, Unsendable> {
    idna::domain_to_ascii_strict(domain).map_err(|_| {
        Unsendable::message(format!(
            "the domain {domain:?} has no ASCII form (RFC 5890)"
        ))
    })
}

/// What may stand in a display name without quotes (RFC 5322 section 3.2.3), blanks included.
fn is_phrase(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" !#$%&'*+-/^_`{|}~".contains(&byte)
}

fn quoted(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
