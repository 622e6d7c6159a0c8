/// Reads a message body: undoes dot-stuffing and finds the final dot.
///
/// Only CR LF ends a line here, so that a bare CR or LF followed by a dot is body, as RFC 5321 wants.
#[derive(Debug, Default)]
pub(super) struct BodyReader {
    state: State,
    body: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Line,
    Cr,
}

/// How far one piece of input went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of it is body.
    More,
    /// The final dot ended after this many bytes.
    Finished(usize),
}

impl BodyReader {
    pub(super) fn read(&mut self, input: &[u8]) -> Progress {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if matches!(self.state, State::Line) {
                let rest = &input[at..];
                let end = rest.iter().position(|&b| b == b'\r');
                let end = end.unwrap_or(rest.len());
                self.body.extend_from_slice(&rest[..end]);
                at += end;
                if at == input.len() {
                    break;
                }
                self.body.push(b'\r');
                self.state = State::Cr;
                at += 1;
                continue;
            }
            at += 1;
            self.state = match (self.state, byte) {
                (State::LineStart, b'.') => State::Dot,
                (State::Dot, b'\r') => State::DotCr,
                (State::DotCr, b'\n') => return Progress::Finished(at),
                (State::DotCr, byte) => {
                    self.body.push(b'\r');
                    self.keep(byte)
                }
                (State::Cr, b'\n') => {
                    self.body.push(b'\n');
                    State::LineStart
                }
                (State::LineStart | State::Dot | State::Line | State::Cr, byte) => self.keep(byte),
            };
        }
        Progress::More
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Drops what was read, to go on reading a body that is refused anyway.
    pub(super) fn forget(&mut self) {
        self.body = Vec::new();
    }

    pub(super) fn into_body(self) -> Vec<u8> {
        self.body
    }

    fn keep(&mut self, byte: u8) -> State {
        self.body.push(byte);
        if byte == b'\r' {
            State::Cr
        } else {
            State::Line
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_body_however_it_is_cut_up() {
        let cases: [(&[u8], &[u8]); 8] = [
            (b".\r\n", b""),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n..a\r\n.\r\n", b".\r\n.a\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\r\n"),
            (b".\rx\r\n.\r\n", b"\rx\r\n"),
            (b".\r\r\n.\r\n", b"\r\r\n"),
        ];
        for (wire, body) in cases {
            for cut in 0..wire.len() {
                let mut reader = BodyReader::default();
                assert_eq!(reader.read(&wire[..cut]), Progress::More, "{wire:?}");
                let rest = [&wire[cut..], b"NOOP\r\n"].concat();
                assert_eq!(reader.read(&rest), Progress::Finished(wire.len() - cut));
                assert_eq!(reader.into_body(), body, "{wire:?}");
            }
        }
    }
}
