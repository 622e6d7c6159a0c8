use std::time::Duration;

use crate::error::SmtpConfigError;

/// How long each step of a session may take before it counts as failed.
///
/// RFC 5321 section 4.5.3.2 asks for more before the final dot, but a mail given up there is simply sent again. After the
/// dot it asks for ten minutes for a reason: who gives up earlier does not know whether the mail was sent.
///
/// ```
/// use std::time::Duration;
/// use mailer_smtp::{SmtpTransport, TimeLimits};
///
/// let mut limits = TimeLimits::default();
/// limits.connect = Duration::from_secs(5);
/// let transport = SmtpTransport::builder("smtps://relay.example").time_limits(limits).build()?;
/// # drop(transport);
/// # Ok::<(), mailer_smtp::SmtpConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeLimits {
    /// Resolving the name and connecting: 30 s. All addresses of the host share it.
    pub connect: Duration,
    /// The TLS handshake: 30 s.
    pub tls: Duration,
    /// Each command and each reply from the greeting to the login: 60 s.
    pub setup: Duration,
    /// `MAIL FROM`, `RCPT TO`, `DATA` and `RSET`, and each reply to them: 60 s.
    pub command: Duration,
    /// Each 64 KiB of a body: 3 min.
    pub block: Duration,
    /// The reply to the final dot: 10 min.
    pub after_dot: Duration,
    /// `QUIT`, the reply to it, and the end of the stream, each: 2 s. The connection is closed then, whatever the relay says.
    pub quit: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(30),
            tls: seconds(30),
            setup: seconds(60),
            command: seconds(60),
            block: seconds(180),
            after_dot: seconds(600),
            quit: seconds(2),
        }
    }
}

impl TimeLimits {
    pub(crate) fn check(&self) -> Result<(), SmtpConfigError> {
        let all = [
            ("connect", self.connect),
            ("tls", self.tls),
            ("setup", self.setup),
            ("command", self.command),
            ("block", self.block),
            ("after_dot", self.after_dot),
            ("quit", self.quit),
        ];
        match all.into_iter().find(|(_, limit)| limit.is_zero()) {
            None => Ok(()),
            Some((setting, _)) => Err(SmtpConfigError::Number {
                setting,
                value: "0".to_owned(),
                rule: "a time limit is longer than nothing",
            }),
        }
    }
}
