use std::io;

use chrono::{DateTime, Utc};

/// A recipient of a mail that `smtp-sink` has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The address in `RCPT TO`.
    pub recipient: String,
    /// When the body began to arrive, to the second.
    pub at: DateTime<Utc>,
}

/// Why a dump cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The file cannot be read.
    #[error("cannot read the dump")]
    Io(#[from] io::Error),
    /// A record has no time where it should.
    #[error("no time in line {line} of the dump: {text:?}")]
    NoTime {
        /// The line, from 1.
        line: usize,
        /// What it holds instead.
        text: String,
    },
}

/// Every recipient of every mail in a file that `smtp-sink -D` wrote, in order.
///
/// `start` is the line given with `-S`, without its line end. Without one a mail's body can pass for a record. A last
/// record that is still being written is left out.
///
/// ```
/// let dump = b"X-Client-Addr: 127.0.0.1
/// X-Client-Proto: ESMTP
/// X-Mail-Args: <news@x.example>
/// X-Rcpt-Args: <ann@x.example> NOTIFY=NEVER
/// Received: from [127.0.0.1] ([127.0.0.1])
/// \tby smtp-sink (smtp-sink) with ESMTP id 50fd54b2;
/// \tTue, 24 Nov 2026 18:20:42 +0000 (UTC)
/// Subject: hello
///
/// body
///
/// ";
/// let mails = testkit::parse_dump(dump, None)?;
/// assert_eq!(mails[0].recipient, "ann@x.example");
/// assert_eq!(mails[0].at.to_rfc3339(), "2026-11-24T18:20:42+00:00");
/// # Ok::<(), testkit::DumpError>(())
/// ```
///
/// # Errors
/// When a record does not have the shape the manual page describes.
pub fn parse_dump(dump: &[u8], start: Option<&str>) -> Result<Vec<ReceivedMail>, DumpError> {
    let mut mails = Vec::new();
    let mut state = State::Body {
        after_empty_line: true,
    };
    let mut lines = dump.split_inclusive(|&byte| byte == b'\n').enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(line) = line.strip_suffix(b"\n") else {
            break;
        };
        state = match state {
            State::Body { after_empty_line } => {
                let is_start = match start {
                    Some(start) => line == start.as_bytes(),
                    None => after_empty_line && line.starts_with(b"X-Client-Addr: "),
                };
                if is_start {
                    State::Head(Vec::new())
                } else {
                    State::Body {
                        after_empty_line: line.is_empty(),
                    }
                }
            }
            State::Head(mut recipients) => {
                if let Some(arguments) = line.strip_prefix(b"X-Rcpt-Args: ") {
                    recipients.push(address(&String::from_utf8_lossy(arguments)));
                }
                if line.starts_with(b"Received: ") {
                    // The time is in the third line of this header.
                    let Some(at) = lines.by_ref().nth(1) else {
                        break;
                    };
                    let Some(text) = at.1.strip_suffix(b"\n") else {
                        break;
                    };
                    let at = time(text).ok_or_else(|| DumpError::NoTime {
                        line: index + 3,
                        text: String::from_utf8_lossy(text).into_owned(),
                    })?;
                    let received = |recipient| ReceivedMail { recipient, at };
                    mails.extend(recipients.drain(..).map(received));
                    State::Body {
                        after_empty_line: false,
                    }
                } else {
                    State::Head(recipients)
                }
            }
        };
    }
    Ok(mails)
}

enum State {
    /// In a mail, or between two.
    Body { after_empty_line: bool },
    /// In the lines `smtp-sink` writes above a mail.
    Head(Vec<String>),
}

fn address(arguments: &str) -> String {
    let path = arguments.split("> ").next().unwrap_or(arguments);
    let path = path.strip_prefix('<').unwrap_or(path);
    path.strip_suffix('>').unwrap_or(path).to_owned()
}

fn time(line: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(line).ok()?.trim();
    Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "X-Client-Addr: 127.0.0.1\nX-Client-Proto: SMTP\nX-Mail-Args: <>\n\
        X-Rcpt-Args: <a@x>\nX-Rcpt-Args: <b@x>\n\
        Received: from x ([127.0.0.1])\n\tby y (smtp-sink) with SMTP id 1;\n";
    const TIME: &str = "\tTue, 24 Nov 2026 18:20:42 +0000 (UTC)\n";

    fn recipients(dump: &str, start: Option<&str>) -> Vec<String> {
        let mails = parse_dump(dump.as_bytes(), start).unwrap();
        mails.into_iter().map(|mail| mail.recipient).collect()
    }

    #[test]
    fn a_start_line_keeps_bodies_from_passing_for_records() {
        let record = format!("mark\n{HEAD}{TIME}Subject: s\n\n{HEAD}{TIME}\n\n");
        let dump = record.repeat(2);
        assert_eq!(
            recipients(&dump, Some("mark")),
            ["a@x", "b@x", "a@x", "b@x"]
        );
    }

    #[test]
    fn a_record_being_written_is_left_out() {
        let whole = format!("{HEAD}{TIME}\nbody\n\n");
        let dump = whole.clone() + &whole;
        let end_of_time = whole.len() + HEAD.len() + TIME.len();
        for cut in whole.len()..end_of_time {
            assert_eq!(recipients(&dump[..cut], None).len(), 2, "{cut}");
        }
        assert_eq!(recipients(&dump[..end_of_time], None).len(), 4);
    }

    #[test]
    fn a_record_without_a_time_is_an_error() {
        let error = parse_dump(format!("{HEAD}noon\n").as_bytes(), None).unwrap_err();
        assert!(
            matches!(error, DumpError::NoTime { line: 8, .. }),
            "{error}"
        );
    }
}
