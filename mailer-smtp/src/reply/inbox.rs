use super::Reply;

/// RFC 5321 section 4.5.3.1.5 allows 512 octets; relays with long URLs in their refusals send more.
const LONGEST_LINE: usize = 4_096;
const LONGEST_REPLY: usize = 100_000;
/// Room for every answer to a flight of commands.
const READ_SIZE: usize = 1_024;

/// Bytes from the relay, cut into replies.
///
/// It accepts all that RFC 5321 section 4.2 allows and what relays send beside it: bare codes, any second digit, lone
/// LF, any bytes as text. The same bytes give the same replies in whatever pieces they arrive.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Where the present reply begins: everything before it was handed out.
    start: usize,
    /// Where its present line begins.
    line: usize,
    /// How far that line was searched for its end.
    searched: usize,
    code: Option<u16>,
}

/// Where a reply lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    code: u16,
    start: usize,
    end: usize,
}

/// What was read is no SMTP reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay's answer is no SMTP reply")]
pub(crate) struct Malformed;

impl Inbox {
    /// Where to append what was read.
    pub(crate) fn space(&mut self) -> &mut Vec<u8> {
        self.forget_handed_out();
        self.bytes.reserve(READ_SIZE);
        &mut self.bytes
    }

    /// Whether nothing is left that was read and not handed out.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Looks for the next whole reply; none: more must be read.
    pub(crate) fn find(&mut self) -> Result<Option<Found>, Malformed> {
        loop {
            let unsearched = &self.bytes[self.searched..];
            let Some(end) = unsearched.iter().position(|&byte| byte == b'\n') else {
                self.searched = self.bytes.len();
                self.check_length(self.searched)?;
                return Ok(None);
            };
            let end = self.searched + end + 1;
            self.check_length(end)?;
            let (code, is_last) = parse_line(&self.bytes[self.line..end])?;
            if *self.code.get_or_insert(code) != code {
                return Err(Malformed);
            }
            (self.line, self.searched) = (end, end);
            if is_last {
                let start = std::mem::replace(&mut self.start, end);
                self.code = None;
                return Ok(Some(Found { code, start, end }));
            }
        }
    }

    /// The reply that was found, as long as nothing more is read.
    pub(crate) fn reply(&self, found: Found) -> Reply<'_> {
        Reply {
            code: found.code,
            lines: self.bytes.get(found.start..found.end).unwrap_or_default(),
        }
    }

    /// The next whole reply.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn next(&mut self) -> Result<Option<Reply<'_>>, Malformed> {
        Ok(self.find()?.map(|found| self.reply(found)))
    }

    /// How many bytes it keeps.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// A relay may always have begun the next reply, so the present one is not waited for to be the last.
    fn forget_handed_out(&mut self) {
        self.bytes.drain(..self.start);
        self.line -= self.start;
        self.searched -= self.start;
        self.start = 0;
    }

    fn check_length(&self, end: usize) -> Result<(), Malformed> {
        let fits = end - self.line <= LONGEST_LINE && end - self.start <= LONGEST_REPLY;
        fits.then_some(()).ok_or(Malformed)
    }
}

/// The code of a line, and whether it is the reply's last.
fn parse_line(line: &[u8]) -> Result<(u16, bool), Malformed> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let &[first @ b'2'..=b'5', second, third, ref rest @ ..] = line else {
        return Err(Malformed);
    };
    if !(second.is_ascii_digit() && third.is_ascii_digit()) {
        return Err(Malformed);
    }
    let is_last = match rest.first() {
        None | Some(b' ' | b'\t' | b'\r') => true,
        Some(b'-') => false,
        Some(_) => return Err(Malformed),
    };
    let digit = |byte: u8| u16::from(byte - b'0');
    let code = digit(first) * 100 + digit(second) * 10 + digit(third);
    Ok((code, is_last))
}
