//! What a relay says (RFC 5321 section 4.2), read without any I/O.

mod enhanced;
mod inbox;
mod patience;

use std::time::Duration;

pub(crate) use enhanced::Enhanced;
pub(crate) use inbox::{Inbox, Malformed};

/// Longest text that is kept of a reply, in characters: it goes into stores and logs.
const LONGEST_TEXT: usize = 1_000;

/// A whole reply of one or several lines. It borrows the bytes, so that a plain `250` costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply<'a> {
    code: u16,
    lines: &'a [u8],
}

impl<'a> Reply<'a> {
    /// The three digits, 200 to 599.
    pub(crate) fn code(self) -> u16 {
        self.code
    }

    pub(crate) fn is_positive(self) -> bool {
        self.code < 300
    }

    /// 354 and its like: the relay wants more.
    pub(crate) fn is_intermediate(self) -> bool {
        (300..400).contains(&self.code)
    }

    /// The enhanced code (RFC 3463). One that contradicts the three digits is none: the digits win.
    pub(crate) fn enhanced(self) -> Option<Enhanced> {
        let first = self.texts().next()?;
        Enhanced::parse(first).filter(|enhanced| u16::from(enhanced.class) == self.code / 100)
    }

    /// The wait that the relay asks for in words, if it names one.
    pub(crate) fn retry_after(self) -> Option<Duration> {
        patience::retry_after(&self.text().to_ascii_lowercase())
    }

    /// Its words on one line, with the code: `550 5.1.1 no such user`.
    ///
    /// Bytes that are not UTF-8 are read as Latin-1, and control characters become blanks: the text ends up in logs.
    pub(crate) fn text(self) -> String {
        let mut text = self.code.to_string();
        for line in self.texts().filter(|line| !line.is_empty()) {
            text.push(' ');
            match std::str::from_utf8(line) {
                Ok(line) => text.extend(line.chars().map(printable)),
                Err(_) => text.extend(line.iter().map(|&byte| printable(byte.into()))),
            }
        }
        match text.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => {
                text.truncate(end);
                text.push('…');
                text
            }
            None => text,
        }
    }

    /// What stands behind the code on each line.
    pub(crate) fn texts(self) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.lines.strip_suffix(b"\n").unwrap_or(self.lines);
        lines
            .split(|&byte| byte == b'\n')
            .map(|line| line.get(4..).unwrap_or_default().trim_ascii_end())
    }
}

fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

#[cfg(test)]
mod tests;
