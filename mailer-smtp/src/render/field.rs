use super::Unsendable;
use super::encoded_word::write_encoded;

/// Lines are folded when they would grow beyond this (RFC 5322 section 2.1.1).
const FOLD_AT: usize = 78;
/// No line may be longer, its CRLF not counted.
const LONGEST_LINE: usize = 998;

/// Writes a header of free text, such as `Subject`.
pub(super) fn write_text(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), Unsendable> {
    check_value(name, value)?;
    // What looks like an encoded word would be decoded by whoever reads it.
    if is_printable(value) && !value.contains("=?") {
        return write_plain(out, name, value);
    }
    let column = open(out, name);
    write_encoded(out, value, column);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Writes a header of any kind: ASCII as it is, other text as encoded words.
pub(super) fn write_extra(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), Unsendable> {
    check_value(name, value)?;
    if is_printable(value) {
        return write_plain(out, name, value);
    }
    if starts_with_ignoring_case(name, "list-") {
        return Err(Unsendable::message(format!(
            "header {name}: only printable ASCII may stand in it, and URIs are to be percent-encoded (RFC 2369)"
        )));
    }
    write_text(out, name, value)
}

/// `Name: `; returns the column behind it.
pub(super) fn open(out: &mut Vec<u8>, name: &str) -> usize {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    name.len() + 2
}

/// Writes ASCII text, folded at its blanks; returns how far the last line has come.
pub(super) fn write_folded(
    out: &mut Vec<u8>,
    name: &str,
    text: &str,
    mut column: usize,
) -> Result<usize, Unsendable> {
    if column + text.len() <= FOLD_AT {
        out.extend_from_slice(text.as_bytes());
        return Ok(column + text.len());
    }
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            // A line must not be made of blanks alone (RFC 5322 section 3.2.2): tabs are no word to begin one with.
            let is_word = word.bytes().any(|byte| byte != b'\t');
            if is_word && column + 1 + word.len() > FOLD_AT {
                out.extend_from_slice(b"\r\n");
                column = 0;
            }
            out.push(b' ');
            column += 1;
        }
        out.extend_from_slice(word.as_bytes());
        column += word.len();
        if column > LONGEST_LINE {
            return Err(Unsendable::message(format!(
                "header {name}: a line of it is longer than {LONGEST_LINE} octets and has no blank to fold at (RFC 5322, 2.1.1)"
            )));
        }
    }
    Ok(column)
}

pub(super) fn check_value(name: &str, value: &str) -> Result<(), Unsendable> {
    if value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(Unsendable::message(format!(
            "header {name}: no line break and no NUL may stand in its value {value:?}"
        )));
    }
    Ok(())
}

pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

pub(super) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(start))
}

fn write_plain(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), Unsendable> {
    let column = open(out, name);
    write_folded(out, name, value, column)?;
    out.extend_from_slice(b"\r\n");
    Ok(())
}
