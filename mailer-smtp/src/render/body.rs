use std::hash::{DefaultHasher, Hash, Hasher};

use lettre::message::header::ContentTransferEncoding;
use lettre::message::header::ContentType;
use lettre::message::{Body as EncodedText, SinglePart};
use mailer_core::domain::Body;

/// A body in its wire form.
pub(super) struct Encoded {
    pub(super) wire: Vec<u8>,
    /// How long it is without what is there for the wire only: doubled dots, and the final one.
    pub(super) size: usize,
}

/// Everything of a mail behind its personal headers, as it goes onto the wire: MIME headers, the empty line, the body
/// with its dots stuffed, and the final dot.
///
/// It is 7-bit: text that is not goes as quoted-printable or base64, so no relay needs 8BITMIME. No line is longer than
/// 998 octets, every line ends in CRLF, and no other CR or LF is in it (RFC 5321 section 2.3.8).
pub(super) fn encode(body: &Body) -> Encoded {
    let mut mime = b"MIME-Version: 1.0\r\n".to_vec();
    match (body.text.as_deref(), body.html.as_deref()) {
        (Some(text), Some(html)) => alternative(&mut mime, &plain(text), &web(html)),
        (None, Some(html)) => mime.extend(web(html)),
        (text, None) => mime.extend(plain(text.unwrap_or_default())),
    }
    stuffed(&mime)
}

fn plain(text: &str) -> Vec<u8> {
    part(text, ContentType::TEXT_PLAIN)
}

fn web(html: &str) -> Vec<u8> {
    part(html, ContentType::TEXT_HTML)
}

fn part(text: &str, kind: ContentType) -> Vec<u8> {
    let text = with_crlf(text);
    // RFC 5321 section 4.5.2 and RFC 5322 section 2.3 leave no room for NUL and its like in plain sight.
    let is_plain =
        |byte: &u8| (b' '..=b'~').contains(byte) || matches!(byte, b'\t' | b'\r' | b'\n');
    let encoded = if text.as_bytes().iter().all(is_plain) {
        EncodedText::new(text)
    } else {
        let quoted = text
            .is_ascii()
            .then_some(ContentTransferEncoding::QuotedPrintable);
        match quoted {
            // Quoted-printable takes any text, so the error is never met.
            Some(encoding) => {
                EncodedText::new_with_encoding(text, encoding).unwrap_or_else(EncodedText::new)
            }
            None => EncodedText::new(text),
        }
    };
    SinglePart::builder().header(kind).body(encoded).formatted()
}

/// Lone CR and lone LF become CRLF; done here in one pass, so that there is nothing left for others to insert.
fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(end) = rest.find(['\r', '\n']) {
        out.push_str(&rest[..end]);
        out.push_str("\r\n");
        let length = if rest[end..].starts_with("\r\n") {
            2
        } else {
            1
        };
        rest = &rest[end + length..];
    }
    out.push_str(rest);
    out
}

/// The better form last, as RFC 2046 section 5.1.4 wants it.
fn alternative(out: &mut Vec<u8>, plain: &[u8], web: &[u8]) {
    let boundary = boundary(plain, web);
    out.extend_from_slice(
        format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n")
            .as_bytes(),
    );
    for part in [plain, web] {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
}

/// The same parts have the same boundary, so a repeated mail is the same byte for byte; no part contains it.
fn boundary(plain: &[u8], web: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    (plain, web).hash(&mut hasher);
    loop {
        let boundary = format!("=_{:016x}", hasher.finish());
        let within = |part: &[u8]| {
            part.windows(boundary.len())
                .any(|piece| piece == boundary.as_bytes())
        };
        if !within(plain) && !within(web) {
            return boundary;
        }
        hasher.write_u8(0);
    }
}

/// Doubles the dots at line starts (RFC 5321 section 4.5.2) and ends it with the final dot.
fn stuffed(lines: &[u8]) -> Encoded {
    let mut wire = Vec::with_capacity(lines.len() + 64);
    let mut doubled = 0;
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
            doubled += 1;
        }
        wire.extend_from_slice(line);
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    let size = wire.len() - doubled;
    wire.extend_from_slice(b".\r\n");
    Encoded { wire, size }
}
