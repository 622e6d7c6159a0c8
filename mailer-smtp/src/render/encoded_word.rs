use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest line with an encoded word in it (RFC 2047 section 2).
const LONGEST_LINE: usize = 76;
const LONGEST_WORD: usize = 75;
const OPEN: &[u8] = b"=?utf-8?b?";
const CLOSE: &[u8] = b"?=";
/// A piece shorter than this is not worth the rest of a line: the widest character takes four octets.
const SHORTEST_PIECE: usize = 9;

/// Writes any text as encoded words (RFC 2047), folded; returns how far the last line has come. `column` is how far the
/// present one has, its blank included.
pub(super) fn write_encoded(out: &mut Vec<u8>, text: &str, mut column: usize) -> usize {
    let mut rest = text;
    loop {
        let mut room = room(column);
        if room < SHORTEST_PIECE {
            out.extend_from_slice(b"\r\n ");
            column = 1;
            room = self::room(column);
        }
        let (piece, after) = rest.split_at(floor_char_boundary(rest, room));
        let before = out.len();
        out.extend_from_slice(OPEN);
        let mut buffer = [0; LONGEST_WORD];
        // The buffer has room for every piece.
        let written = STANDARD.encode_slice(piece, &mut buffer).unwrap_or(0);
        out.extend_from_slice(&buffer[..written]);
        out.extend_from_slice(CLOSE);
        column += out.len() - before;
        rest = after;
        if rest.is_empty() {
            return column;
        }
        out.extend_from_slice(b"\r\n ");
        column = 1;
    }
}

/// How many octets of text fit behind `column` on one line.
fn room(column: usize) -> usize {
    let octets = LONGEST_LINE.saturating_sub(column).min(LONGEST_WORD);
    octets.saturating_sub(OPEN.len() + CLOSE.len()) / 4 * 3
}

/// The end of the longest piece of at most `most` octets that cuts no character.
fn floor_char_boundary(text: &str, most: usize) -> usize {
    (0..=most.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0)
}
