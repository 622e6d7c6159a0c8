//! A plain reader of mails, by RFC 5321, 5322, 2045 and 2047: what a recipient sees of a wire form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Header fields, unfolded, in their order.
pub(super) type Fields = Vec<(String, String)>;

/// What a server takes for the mail: dots unstuffed, without the final one. It is 7-bit, but for lines with an address that
/// is not (RFC 6532).
pub(super) fn received(wire: &[u8], international: &[&str]) -> String {
    let wire = std::str::from_utf8(wire).expect("a mail is text");
    assert!(!wire.contains('\0'), "{wire:?}");
    let lines = wire.strip_suffix("\r\n").expect("the last line ends");
    let mut lines: Vec<&str> = lines.split("\r\n").collect();
    assert_eq!(lines.pop(), Some("."), "{wire:?}");
    let mut mail = String::new();
    for line in lines {
        assert!(!line.contains(['\r', '\n']), "a lone CR or LF: {line:?}");
        let is_international = international.iter().any(|address| line.contains(address));
        assert!(line.is_ascii() || is_international, "{line:?}");
        assert!(line.len() <= 998, "{} octets: {line:?}", line.len());
        let line = match line.strip_prefix('.') {
            Some(stuffed) => {
                assert!(stuffed.starts_with('.'), "a lone dot begins {line:?}");
                stuffed
            }
            None => line,
        };
        mail.push_str(line);
        mail.push_str("\r\n");
    }
    mail
}

/// The header fields of a mail or a part, and its body.
pub(super) fn split(mail: &str) -> (Fields, &str) {
    let (head, body) = mail
        .split_once("\r\n\r\n")
        .expect("an empty line ends the head");
    let mut fields = Fields::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            assert!(!line.trim().is_empty(), "a line of blanks in {head:?}");
            let (_, value) = fields.last_mut().expect("a field begins before it goes on");
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(": ").expect("a field has a name");
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    (fields, body)
}

/// The text of a header field: encoded words decoded, the blanks between them dropped.
pub(super) fn decoded(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    let mut follows_word = false;
    while let Some((before, after)) = rest.split_once("=?utf-8?b?") {
        if !(follows_word && before.trim().is_empty()) {
            text.push_str(before);
        }
        let (word, after) = after
            .split_once("?=")
            .unwrap_or_else(|| panic!("a word without an end in {value:?}"));
        assert!(word.len() + 12 <= 75, "RFC 2047 section 2: {word}");
        let bytes = STANDARD.decode(word).expect("base64");
        text.push_str(std::str::from_utf8(&bytes).expect("a word has whole characters"));
        (rest, follows_word) = (after, true);
    }
    // What stands in a line of its own before the first word is a fold, not text.
    text.push_str(rest);
    text
}

/// The content of a part, by its transfer encoding.
pub(super) fn content(fields: &Fields, body: &str) -> String {
    let encoding = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("Content-Transfer-Encoding"));
    let bytes = match encoding.map(|(_, value)| value.as_str()) {
        None | Some("7bit") => body.as_bytes().to_vec(),
        Some("base64") => STANDARD.decode(body.replace("\r\n", "")).expect("base64"),
        Some("quoted-printable") => unquoted(body),
        Some(other) => panic!("encoding {other:?}"),
    };
    String::from_utf8(bytes).expect("UTF-8")
}

fn unquoted(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in body.split_inclusive("\r\n") {
        let (text, end) = match line.strip_suffix("\r\n") {
            Some(text) => (text, "\r\n"),
            None => (line, ""),
        };
        assert!(text.len() <= 76, "RFC 2045 section 6.7: {text:?}");
        assert!(
            !text.ends_with([' ', '\t']),
            "a blank at the end of {text:?}"
        );
        let (text, end) = match text.strip_suffix('=') {
            Some(text) => (text, ""),
            None => (text, end),
        };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('=') {
            out.extend_from_slice(before.as_bytes());
            let code = after.get(..2).expect("two digits");
            out.push(u8::from_str_radix(code, 16).expect("hexadecimal"));
            rest = &after[2..];
        }
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(end.as_bytes());
    }
    out
}
