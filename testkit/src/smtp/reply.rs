use std::fmt;

/// A server's reply, as the bytes that go onto the wire.
///
/// ```
/// use testkit::Reply;
///
/// assert_eq!(Reply::new(550, "5.1.1 no such user").as_bytes(), b"550 5.1.1 no such user\r\n");
/// assert_eq!(Reply::new(250, "one\ntwo").as_bytes(), b"250-one\r\n250 two\r\n");
/// assert_eq!(Reply::new(250, "").as_bytes(), b"250\r\n");
/// assert_eq!(Reply::raw(*b"571 caf\xe9\n").code(), Some(571));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    bytes: Vec<u8>,
}

impl Reply {
    /// A well-formed reply; each line of `text` becomes a line of the reply, and no text gives a bare code.
    #[must_use]
    pub fn new(code: u16, text: &str) -> Self {
        if text.is_empty() {
            return Self::raw(format!("{code}\r\n"));
        }
        let last = text.lines().count() - 1;
        let lines = text.lines().enumerate().map(|(index, line)| {
            let separator = if index == last { ' ' } else { '-' };
            format!("{code}{separator}{line}\r\n")
        });
        Self::raw(lines.collect::<String>())
    }

    /// Any bytes at all, sent as they are.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
        }
    }

    /// The three digits it starts with, if it does.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        let digits = self.bytes.get(..3)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Whether it starts with a 2xx code.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.code().is_some_and(|code| (200..300).contains(&code))
    }

    /// What goes onto the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?})", String::from_utf8_lossy(&self.bytes))
    }
}
