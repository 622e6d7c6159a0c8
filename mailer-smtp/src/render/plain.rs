use mailer_core::domain::{Address, Email};

use super::mailbox::write_address;
use super::{Bodies, Unsendable, write_head};

/// The mail as it is before SMTP: the very bytes that a relay reads out of what is sent to it.
pub(crate) fn plain(email: &Email, bodies: &Bodies) -> Result<Vec<u8>, Unsendable> {
    let mut wire = Vec::new();
    write_head(&mut wire, email)?;
    wire.extend_from_slice(bodies.encoded(&email.draft.body).bytes());
    Ok(unstuffed(&wire))
}

/// The address with its domain in ASCII, as it stands in the envelope.
pub(crate) fn ascii_domain(address: &Address) -> Result<String, Unsendable> {
    let mut out = Vec::new();
    write_address(&mut out, address)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Takes the doubled dots back, and the final one (RFC 5321 section 4.5.2).
fn unstuffed(wire: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(wire.len());
    for line in wire.split_inclusive(|&byte| byte == b'\n') {
        if line != b".\r\n" {
            out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::unstuffed;

    #[test]
    fn dots_come_back_as_they_were() {
        let wire = b"..X: y\r\n\r\na.b\r\n..\r\n...c\r\n.\r\n";
        assert_eq!(unstuffed(wire), b".X: y\r\n\r\na.b\r\n.\r\n..c\r\n");
    }
}
