use std::sync::Arc;

use chrono::DateTime;
use mailer_core::domain::{Body, Draft, Email, Mailbox};

/// Everything of a mail that its author decides, as text of any kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) message_id: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) seconds: i64,
}

impl Letter {
    /// Reads one out of any bytes: fields stand between bytes of 255, which no UTF-8 has.
    #[cfg_attr(
        test,
        expect(dead_code, reason = "the tests make letters field by field")
    )]
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut fields = bytes
            .split(|&byte| byte == 0xff)
            .map(|field| String::from_utf8_lossy(field).into_owned());
        let mut letter = Self {
            subject: fields.next().unwrap_or_default(),
            text: fields.next(),
            html: fields.next(),
            sender: fields.next().unwrap_or_default(),
            recipient: fields.next().unwrap_or_default(),
            reply_to: fields.next(),
            message_id: fields.next().unwrap_or_else(|| "1@x.example".to_owned()),
            headers: Vec::new(),
            seconds: bytes
                .iter()
                .rev()
                .take(4)
                .fold(0, |sum, byte| sum << 8 | i64::from(*byte)),
        };
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            letter.headers.push((name, value));
        }
        letter
    }

    /// The mail that it makes; what is no mailbox is taken for a name.
    pub(crate) fn email(&self) -> Email {
        let draft = Draft {
            subject: self.subject.clone(),
            headers: self.headers.clone(),
            body: Arc::new(Body {
                text: self.text.clone(),
                html: self.html.clone(),
            }),
        };
        let mut email = Email::new(
            self.message_id.clone(),
            DateTime::from_timestamp(self.seconds, 0).unwrap_or_default(),
            mailbox(&self.sender),
            mailbox(&self.recipient),
            draft,
        );
        email.reply_to = self.reply_to.as_deref().map(mailbox);
        email
    }
}

fn mailbox(text: &str) -> Mailbox {
    let address = || "ann@example.com".parse();
    text.parse()
        .or_else(|_| Mailbox::new(text, address()?))
        .or_else(|_| address().map(Mailbox::from))
        .expect("a plain address is one")
}
