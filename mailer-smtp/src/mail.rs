use mailer_core::domain::Email;

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
        email: &Email,
        extensions: &Extensions,
        bodies: &Bodies,
    ) -> Result<(), Unsendable> {
        self.envelope.write(email, extensions.smtputf8)?;
        self.first.clear();
        write_head(&mut self.first, email)?;
        // Looked up without a lock as long as mail after mail has the same body.
        let known = self
            .body
            .take()
            .filter(|known| known.is_of(&email.draft.body));
        let body = known.unwrap_or_else(|| bodies.encoded(&email.draft.body));
        let size = self.first.len() + body.bytes().len();
        self.taken = if size <= PIECE {
            body.bytes().len()
        } else {
            PIECE.saturating_sub(self.first.len() + SHORTEST_LAST)
        };
        self.first.extend_from_slice(&body.bytes()[..self.taken]);
        self.body = Some(body);
        match extensions.size {
            Some(limit) if size as u64 > limit => Err(Unsendable::too_big(size, limit)),
            _ => Ok(()),
        }
    }

    /// The pieces in which it goes out, headers first; the final dot is at the end of the last.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let body = self
            .body
            .as_ref()
            .map(EncodedBody::bytes)
            .unwrap_or_default();
        let mut rest = body.get(self.taken..).unwrap_or_default();
        std::iter::once(self.first.as_slice()).chain(std::iter::from_fn(move || {
            let length = if rest.len() <= PIECE {
                rest.len()
            } else {
                PIECE - SHORTEST_LAST
            };
            let (piece, after) = rest.split_at(length);
            rest = after;
            (!piece.is_empty()).then_some(piece)
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use mailer_core::domain::{Body, Draft};

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
            mail.write(&email, &Extensions::default(), &bodies).unwrap();
            let pieces: Vec<&[u8]> = mail.pieces().collect();
            assert!(pieces.last().unwrap().ends_with(b"\r\n.\r\n"));
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
            let mut head = Vec::new();
            write_head(&mut head, &email).unwrap();
            head.extend_from_slice(bodies.encoded(&email.draft.body).bytes());
            assert_eq!(pieces.concat(), head);
        }
    }
}
