use mailer_core::domain::Outcome;

use super::room::{AFTER, MAILS, Run, Spoken};

impl Run {
    /// Holds every mail to what the server has and to what went over the wire.
    pub(super) fn judge(&self) {
        let delivered = &self.delivered;
        if delivered.refused.is_empty() {
            assert_eq!(delivered.outcomes.len(), MAILS.len(), "{self:?}");
        } else {
            // Nothing was begun, so nothing is in doubt and the engine keeps it all.
            assert!(delivered.outcomes.is_empty(), "{self:?}");
            assert_eq!(self.taken_by_server("example.com"), 1, "{self:?}");
        }
        for (name, outcome) in &delivered.outcomes {
            self.judge_mail(name, outcome);
        }
        let (sent, free) = (delivered.count("sent"), delivered.count("not_started"));
        // A mail behind another waits for that one's verdict, and silence gives it none either.
        let cost = 1 + usize::from(self.room.overlap && self.room.is_hasty);
        assert!(
            sent + free + cost >= delivered.outcomes.len(),
            "one cut costs more than {cost}: {self:?}"
        );
        assert_eq!(self.after.codes(), ["sent"], "{self:?}");
        self.judge_mail(AFTER, &self.after.outcomes[0].1);
    }

    fn judge_mail(&self, name: &str, outcome: &Outcome) {
        let taken = self.taken_by_server(&format!("{name}@example.com"));
        assert!(taken <= 1, "{name} twice: {self:?}");
        match outcome {
            Outcome::Sent { reply } => {
                assert_eq!(taken, 1, "{name} was never sent: {self:?}");
                assert_eq!(reply, &format!("250 2.0.0 {name}"), "{self:?}");
            }
            Outcome::Unknown { .. } => {
                assert!(self.dot_may_have_left(name), "{name}: {self:?}");
            }
            Outcome::TransientRelay { .. } => {
                assert_eq!(taken, 0, "{name} will be sent again: {self:?}");
                assert!(
                    self.room.tls || !self.spoken.iter().any(|s| has_dot(s, name)),
                    "{name}'s dot has left: {self:?}"
                );
            }
            // It was at hand for a dot that could not leave any more.
            Outcome::NotStarted => {
                let is_spoken = |s: &Spoken| s.by_client.contains(&envelope(name));
                assert!(
                    !self.spoken.iter().any(is_spoken),
                    "{name} has left: {self:?}"
                );
            }
            other => panic!("{name} {other:?}: {self:?}"),
        }
        if self.spoken.iter().any(|s| has_verdict(s, name)) {
            assert_eq!(outcome.code(), "sent", "{name}'s verdict came: {self:?}");
        }
    }

    /// How many mails to addresses that end like this the server may have delivered.
    fn taken_by_server(&self, address: &str) -> usize {
        let mails = self.transactions.iter().filter(|t| t.is_mail());
        mails
            .filter(|t| t.to.iter().any(|to| to.ends_with(address)))
            .count()
    }

    /// Whether the dot was heard to leave. A reset can swallow it; then the server's wish to have the mail must have come.
    fn dot_may_have_left(&self, name: &str) -> bool {
        let is_reset = self.cut.is_some_and(|cut| cut == cut.by_reset());
        self.room.tls
            || self.spoken.iter().any(|s| {
                let is_swallowed = is_reset
                    && s.by_client.contains(&envelope(name))
                    && s.to_client.ends_with("354 end with a lone dot\r\n");
                !has_verdict(s, name) && (has_dot(s, name) || is_swallowed)
            })
    }

    /// Whether the envelope of a mail left while the verdict on the one before was still to come.
    pub(super) fn has_envelope_before_a_verdict(&self) -> bool {
        self.spoken.iter().any(|s| {
            let mut pairs = MAILS.windows(2);
            pairs.any(|pair| {
                let both = pair
                    .iter()
                    .all(|name| s.by_client.contains(&envelope(name)));
                both && !has_verdict(s, pair[0])
            })
        })
    }
}

fn envelope(name: &str) -> String {
    format!("RCPT TO:<{name}@example.com>")
}

/// Whether the whole mail to `name` left on this connection, its dot included.
fn has_dot(spoken: &Spoken, name: &str) -> bool {
    let header = format!("\r\nTo: {name}@example.com\r\n");
    let mail = spoken.by_client.split_once(&header);
    mail.is_some_and(|(_, rest)| rest.contains("\r\n.\r\n"))
}

/// Whether the client was given the whole verdict on the mail to `name`.
fn has_verdict(spoken: &Spoken, name: &str) -> bool {
    spoken.to_client.contains(&format!("250 2.0.0 {name}\r\n"))
}
