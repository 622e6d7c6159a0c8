use mailer_core::domain::{Address, Email};

use crate::hello::Extensions;
use crate::render::{Bodies, EncodedBody, Envelope, Unsendable, write_head};

/// A mail up to this size leaves in one write; larger ones go in pieces of this size, each with its own deadline.
const PIECE: usize = 64 * 1024;
/// The last piece is never shorter, so the final dot cannot leave with an earlier one.
const SHORTEST_LAST: usize = 8;

/// The mail in hand, in its wire form; its buffers are used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) envelope: Envelope,
    /// What is written here.
    email: Option<Email>,
    /// The headers of this recipient, and as much of the body as goes with them.
    first: Vec<u8>,
    body: Option<EncodedBody>,
    /// How much of the body that is.
    taken: usize,
}

impl Mail {
    /// Writes everything that can be written before the relay is talked to.
    pub(crate) fn write(
        &mut self,
        email: Email,
        extensions: &Extensions,
        bodies: &Bodies,
    ) -> Result<(), Unsendable> {
        let written = self.put(&email, extensions, bodies);
        self.email = Some(email);
        written
    }

    /// Writes the same mail for another connection, which may offer less.
    pub(crate) fn write_again(
        &mut self,
        extensions: &Extensions,
        bodies: &Bodies,
    ) -> Result<(), Unsendable> {
        match self.email.take() {
            Some(email) => self.write(email, extensions, bodies),
            None => Ok(()),
        }
    }

    fn put(
        &mut self,
        email: &Email,
        extensions: &Extensions,
        bodies: &Bodies,
    ) -> Result<(), Unsendable> {
        self.first.clear();
        write_head(&mut self.first, email)?;
        // Looked up without a lock as long as mail after mail has the same body.
        let known = self
            .body
            .take()
            .filter(|known| known.is_of(&email.draft.body));
        let body = known.unwrap_or_else(|| bodies.encoded(&email.draft.body));
        let size = self.first.len() - doubled_dots(email) + body.size();
        let length = self.first.len() + body.bytes().len();
        self.taken = if length <= PIECE {
            body.bytes().len()
        } else {
            PIECE.saturating_sub(self.first.len() + SHORTEST_LAST)
        };
        self.first.extend_from_slice(&body.bytes()[..self.taken]);
        self.body = Some(body);
        match extensions.max_size {
            Some(limit) if size as u64 > limit => Err(Unsendable::too_big(size, limit)),
            _ => self.envelope.write(email, size, extensions),
        }
    }

    /// Whether all of it goes out in one write.
    pub(crate) fn is_one_piece(&self) -> bool {
        self.rest().is_empty()
    }

    /// All pieces but the last, headers first.
    pub(crate) fn leading(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.rest();
        let first = (!rest.is_empty()).then_some(self.first.as_slice());
        let others = std::iter::from_fn(move || {
            (rest.len() > PIECE).then(|| {
                let (piece, after) = rest.split_at(PIECE - SHORTEST_LAST);
                rest = after;
                piece
            })
        });
        first.into_iter().chain(others)
    }

    /// The last piece, with the final dot at its end; and, if that is the only one, what is to follow in the same segment.
    /// With it the length of the piece alone.
    pub(crate) fn last(&mut self, behind: Option<&Envelope>) -> (&[u8], usize) {
        if self.is_one_piece() {
            let length = self.first.len();
            if let Some(envelope) = behind {
                self.first.extend_from_slice(envelope.flight());
            }
            return (&self.first, length);
        }
        let led: usize = self.leading().skip(1).map(<[u8]>::len).sum();
        let last = self.rest().get(led..).unwrap_or_default();
        (last, last.len())
    }

    /// What of the body does not go with the headers.
    fn rest(&self) -> &[u8] {
        let body = self.body.as_ref().map(EncodedBody::bytes);
        body.and_then(|body| body.get(self.taken..))
            .unwrap_or_default()
    }

    /// The address in `From` of the mail that was written last.
    pub(crate) fn sender(&self) -> Option<&Address> {
        self.email.as_ref().map(|email| email.from.address())
    }
}

/// In the headers; their names alone can begin with one.
fn doubled_dots(email: &Email) -> usize {
    let names = email.draft.headers.iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with('.')).count()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use mailer_core::domain::{Body, Draft, HaltCause, Mailbox, Outcome};

    use super::*;

    #[test]
    fn pieces_are_the_mail_and_the_dot_is_in_the_last() {
        for size in [0, 60_000, 200_000, 65_528 * 2]
            .into_iter()
            .chain((64_400..65_300).step_by(8))
        {
            let draft = Draft {
                subject: "s".to_owned(),
                headers: Vec::new(),
                body: Arc::new(Body {
                    text: Some("0123456\n".repeat(size / 8)),
                    html: None,
                }),
            };
            let address = || "a@b.example".parse().unwrap();
            let email = Email::new(
                "1@b.example",
                DateTime::UNIX_EPOCH,
                address(),
                address(),
                draft,
            );
            let mut mail = Mail::default();
            let bodies = Bodies::default();
            mail.write(email.clone(), &Extensions::default(), &bodies)
                .unwrap();
            let mut pieces: Vec<Vec<u8>> = mail.leading().map(<[u8]>::to_vec).collect();
            let (last, length) = mail.last(None);
            assert!(last.ends_with(b"\r\n.\r\n") && last.len() == length);
            pieces.push(last.to_vec());
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
            let mut head = Vec::new();
            write_head(&mut head, &email).unwrap();
            head.extend_from_slice(bodies.encoded(&email.draft.body).bytes());
            assert_eq!(pieces.concat(), head);
        }
    }

    #[test]
    fn an_address_without_an_ascii_form_is_charged_to_whoever_has_it() {
        // Hyphens in this place are for A-labels (RFC 5891 section 4.2.3.1); the other is too long with them.
        let reserved = "a@ab--\u{fc}.example".to_owned();
        let labels = ["\u{fc}\u{f6}\u{e4}\u{fc}\u{f6}\u{e4}\u{fc}"; 12].join(".");
        let long = format!("{}@{labels}.example", "a".repeat(64));
        let outcome = |from: &str, to: &str, reply_to: &str| {
            let mailbox = |text: &str| text.parse::<Mailbox>().unwrap();
            let draft = Draft {
                subject: "s".to_owned(),
                headers: Vec::new(),
                body: Arc::default(),
            };
            let mut email = Email::new(
                "1@b",
                DateTime::UNIX_EPOCH,
                mailbox(from),
                mailbox(to),
                draft,
            );
            email.reply_to = Some(mailbox(reply_to));
            let offered = Extensions {
                smtputf8: true,
                ..Extensions::default()
            };
            let written = Mail::default().write(email, &offered, &Bodies::default());
            written.unwrap_err().outcome()
        };
        let good = "a@b.example";
        for bad in [reserved, long] {
            for bad in [bad.clone(), format!("Ann <{bad}>")] {
                let of_recipient = outcome(good, &bad, good);
                assert!(
                    matches!(of_recipient, Outcome::PermanentRecipient { .. }),
                    "{of_recipient:?}"
                );
                for of_sender in [outcome(&bad, good, good), outcome(good, good, &bad)] {
                    let is_config = matches!(
                        of_sender,
                        Outcome::PermanentConfig {
                            cause: HaltCause::SenderRefused,
                            ..
                        }
                    );
                    assert!(is_config, "{of_sender:?}");
                }
            }
        }
    }

    #[test]
    fn dots_that_are_doubled_for_the_wire_are_not_declared() {
        let address = || "a@b.example".parse().unwrap();
        let size = |name: &str| {
            let draft = Draft {
                subject: "s".to_owned(),
                headers: vec![(name.to_owned(), "y".to_owned())],
                body: Arc::default(),
            };
            let email = Email::new("1@b", DateTime::UNIX_EPOCH, address(), address(), draft);
            let offered = Extensions {
                size: true,
                ..Extensions::default()
            };
            let mut mail = Mail::default();
            mail.write(email, &offered, &Bodies::default()).unwrap();
            String::from_utf8(mail.envelope.mail().to_vec()).unwrap()
        };
        assert_eq!(size(".X"), size("XX"));
        assert_ne!(size("X"), size("XX"));
    }
}
