/// A command line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verb<'a> {
    Ehlo,
    Helo,
    StartTls,
    Auth {
        mechanism: String,
        initial: Option<&'a str>,
    },
    Mail(Option<Path<'a>>),
    Rcpt(Option<Path<'a>>),
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
    Unknown,
}

/// An address and what stands after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) address: &'a str,
    pub(super) parameters: &'a str,
}

impl<'a> Verb<'a> {
    pub(super) fn parse(line: &'a str) -> Self {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match verb.trim().to_ascii_uppercase().as_str() {
            "EHLO" => Self::Ehlo,
            "HELO" => Self::Helo,
            "STARTTLS" => Self::StartTls,
            "AUTH" => {
                let mut words = rest.split_ascii_whitespace();
                Self::Auth {
                    mechanism: words.next().unwrap_or_default().to_ascii_uppercase(),
                    initial: words.next(),
                }
            }
            "MAIL" => Self::Mail(Path::parse(rest, "FROM:")),
            "RCPT" => Self::Rcpt(Path::parse(rest, "TO:").filter(|path| !path.address.is_empty())),
            "DATA" => Self::Data,
            "RSET" => Self::Rset,
            "NOOP" => Self::Noop,
            "VRFY" => Self::Vrfy,
            "QUIT" => Self::Quit,
            _ => Self::Unknown,
        }
    }
}

impl<'a> Path<'a> {
    fn parse(rest: &'a str, keyword: &str) -> Option<Self> {
        let (head, rest) = rest.split_at_checked(keyword.len())?;
        if !head.eq_ignore_ascii_case(keyword) {
            return None;
        }
        let rest = rest.trim_start().strip_prefix('<')?;
        let end = closing_bracket(rest)?;
        Some(Self {
            address: &rest[..end],
            parameters: rest[end + 1..].trim(),
        })
    }

    /// The parameters as (keyword in upper case, value).
    pub(super) fn pairs(&self) -> impl Iterator<Item = (String, &'a str)> {
        self.parameters.split_ascii_whitespace().map(|parameter| {
            let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (keyword.to_ascii_uppercase(), value)
        })
    }
}

fn closing_bracket(path: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    path.bytes().position(|byte| {
        let is_end = byte == b'>' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |line| match Verb::parse(line) {
            Verb::Mail(path) | Verb::Rcpt(path) => path.map(|path| (path.address, path.parameters)),
            _ => None,
        };
        assert_eq!(path("MAIL FROM:<a@x> SIZE=3"), Some(("a@x", "SIZE=3")));
        assert_eq!(path("mail from: <>"), Some(("", "")));
        assert_eq!(path(r#"RCPT TO:<"a>\"b"@x>"#), Some((r#""a>\"b"@x"#, "")));
        assert_eq!(path("RCPT TO:<>"), None);
        assert_eq!(path("RCPT TO:a@x"), None);
        assert_eq!(path("MAIL"), None);
        assert_eq!(path("MAIL ééééé"), None);
    }
}
