//! Any `lettre::AsyncTransport` as a transport of `mailer`.

mod judge;

use std::error::Error;
use std::sync::Arc;

use lettre::AsyncTransport;
use lettre::address::{Address, Envelope};
use mailer_core::domain::{Email, Outcome};
use mailer_core::transport::OneShot;

use crate::classify::{Class, HaltKind};
use crate::render::{Bodies, Unsendable, ascii_domain, plain};

/// Sends through any transport of lettre, such as its `AsyncSendmailTransport`, `AsyncFileTransport` or one that is made
/// over an HTTP service. The mail is byte for byte the one that [`SmtpTransport`](crate::SmtpTransport) sends; lettre's own SMTP adds an empty line
/// at its end.
///
/// What an error means is decided with care for the recipient, who should not get a mail twice:
/// - lettre's SMTP: a reply that was read decides, as one to the final dot would; refused credentials and a connection
///   that never came to be are what they are. Anything else is [`Outcome::Unknown`], since lettre does not say at which
///   stage it happened.
/// - Any other error is [`Outcome::Unknown`]; [`from_lettre_judging`] takes a function that knows better.
///
/// For SMTP, [`SmtpTransport`](crate::SmtpTransport) is the better choice: it knows the stage, has deadlines, and keeps to
/// its number of connections.
///
/// ```
/// use lettre::{AsyncFileTransport, Tokio1Executor};
/// use mailer_core::transport::Transport;
///
/// let files = AsyncFileTransport::<Tokio1Executor>::new("/var/spool/mails");
/// let transport = mailer_smtp::from_lettre(files).connections(2);
/// assert_eq!(transport.max_connections(), 2);
/// ```
pub fn from_lettre<T>(transport: T) -> OneShot
where
    T: AsyncTransport + Send + Sync + 'static,
    T::Ok: Send + 'static,
    T::Error: Error + Send + 'static,
{
    from_lettre_judging(transport, judge::outcome)
}

/// The same, with a function of the host's that says what an error of the transport means: see the contract of [`OneShot`].
///
/// ```
/// use lettre::transport::stub::AsyncStubTransport;
/// use mailer_core::domain::Outcome;
/// use mailer_smtp::from_lettre_judging;
///
/// // This one never sends anything when it fails.
/// let transport = from_lettre_judging(AsyncStubTransport::new_error(), |error| Outcome::TransientRelay {
///     reply: error.to_string(),
/// });
/// # drop(transport);
/// ```
pub fn from_lettre_judging<T>(
    transport: T,
    judge: impl Fn(&T::Error) -> Outcome + Send + Sync + 'static,
) -> OneShot
where
    T: AsyncTransport + Send + Sync + 'static,
    T::Ok: Send + 'static,
    T::Error: Send + 'static,
{
    let way = Arc::new((transport, judge, Bodies::default()));
    OneShot::new(move |email: Email| {
        let way = Arc::clone(&way);
        async move {
            let (transport, judge, bodies) = &*way;
            let (envelope, mail) = match written(&email, bodies) {
                Ok(written) => written,
                Err(unsendable) => return unsendable.outcome(),
            };
            match transport.send_raw(&envelope, &mail).await {
                Ok(answer) => judge::answered(&answer),
                Err(error) => judge(&error),
            }
        }
    })
}

fn written(email: &Email, bodies: &Bodies) -> Result<(Envelope, Vec<u8>), Unsendable> {
    let address = |address, class| {
        let text = ascii_domain(address).map_err(|error| error.with_class(class))?;
        text.parse::<Address>()
            .map_err(|error| Unsendable::new(class, format!("not sent: {text}: {error}")))
    };
    let from = address(
        email.envelope_from(),
        Class::PermanentConfig(HaltKind::Sender),
    )?;
    let to = address(email.to.address(), Class::PermanentRecipient)?;
    let envelope = Envelope::new(Some(from), vec![to])
        .map_err(|error| Unsendable::new(Class::PermanentMessage, error.to_string()))?;
    Ok((envelope, plain(email, bodies)?))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mailer_core::domain::{Body, Draft};

    use super::*;

    #[test]
    fn envelope_and_mail_are_those_of_smtp() {
        let draft = Draft {
            subject: "Hello".to_owned(),
            headers: vec![(".X".to_owned(), "y".to_owned())],
            body: Arc::new(Body {
                text: Some(".dot\n..\nend".to_owned()),
                html: None,
            }),
        };
        let mut email = Email::new(
            "1@shop.example",
            DateTime::UNIX_EPOCH,
            "news@shop.example".parse().unwrap(),
            "ann@b\u{fc}cher.example".parse().unwrap(),
            draft,
        );
        email.return_path = Some("bounces+1@shop.example".parse().unwrap());
        let (envelope, mail) = written(&email, &Bodies::default()).unwrap();
        let sender = envelope.from().map(ToString::to_string);
        assert_eq!(sender.as_deref(), Some("bounces+1@shop.example"));
        assert_eq!(envelope.to()[0].to_string(), "ann@xn--bcher-kva.example");
        let mail = String::from_utf8(mail).unwrap();
        assert!(mail.contains("\r\n.X: y\r\n"), "{mail}");
        assert!(mail.ends_with("\r\n\r\n.dot\r\n..\r\nend\r\n"), "{mail:?}");
    }
}
