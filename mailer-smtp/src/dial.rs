use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::transport::ConnectError;
use tokio::net::{TcpStream, lookup_host};

use crate::classify::{
    Class, HaltKind, Stage, Unreached, classify, classify_connect, classify_lookup,
    classify_silence,
};
use crate::deadline::{Deadline, TimedOut};
use crate::hello::{Extensions, hello};
use crate::login::log_in;
use crate::relay::Relay;
use crate::reply::Reply;
use crate::stream::Stream;
use crate::target::Encryption;
use crate::tls::{Tls, refused};
use crate::wire::{Fault, Wire};

/// A connection on which `MAIL FROM` can be written, and what the relay offers on it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) wire: Wire,
    pub(crate) extensions: Extensions,
    /// When it was opened, by the monotonic clock.
    pub(crate) opened_at: Duration,
}

impl Line {
    /// Connects, encrypts, says hello and logs in.
    pub(crate) async fn open(relay: &Relay) -> Result<Self, ConnectError> {
        let settings = &relay.settings;
        let limits = &settings.limits;
        let mut stream = Stream::Plain(dial(relay).await?);
        if settings.target.encryption == Encryption::Implicit {
            stream = encrypt(stream, relay.tls.as_ref(), limits.tls).await?;
        }
        let mut wire = Wire::new(stream);
        let greeting = wire.reply(limits.setup).await;
        accepted(Stage::Greeting, greeting)?;
        let mut extensions = hello(&mut wire, settings).await?;
        if settings.target.encryption == Encryption::StartTls {
            if !extensions.starttls {
                let why = "the relay does not offer STARTTLS, and tls=required";
                return Err(refused(why.to_owned()));
            }
            let ready = ask(&mut wire, b"STARTTLS\r\n", limits.setup).await;
            accepted(Stage::StartTls, ready)?;
            if !wire.is_quiet().await && wire.has_unread() {
                // Somebody between us may have put it there, to be believed under TLS (RFC 3207 section 6).
                let why = "the relay went on in clear text after STARTTLS";
                return Err(refused(why.to_owned()));
            }
            let stream = encrypt(wire.into_stream(), relay.tls.as_ref(), limits.tls).await?;
            wire = Wire::new(stream);
            // What was offered in clear text is not believed.
            extensions = hello(&mut wire, settings).await?;
        }
        log_in(&mut wire, settings, &extensions).await?;
        Ok(Self {
            wire,
            extensions,
            opened_at: SystemClock.monotonic(),
        })
    }

    /// Takes leave, but does not wait for long.
    pub(crate) async fn quit(&mut self, limit: Duration) {
        // Nothing depends on the answer.
        let _ = ask(&mut self.wire, b"QUIT\r\n", limit).await;
        self.wire.close(limit).await;
    }
}

/// Writes one command and reads its reply.
pub(crate) async fn ask<'w>(
    wire: &'w mut Wire,
    command: &[u8],
    limit: Duration,
) -> Result<Reply<'w>, Fault> {
    match wire.write(command, limit).await {
        Err(unwritten) if !unwritten.fault.is_closed() => return Err(unwritten.fault),
        // A relay that closes may have said why before.
        Err(_) | Ok(()) => {}
    }
    wire.reply(limit).await
}

/// Passes a positive reply on; anything else says why there is no connection.
pub(crate) fn accepted(
    stage: Stage,
    reply: Result<Reply<'_>, Fault>,
) -> Result<Reply<'_>, ConnectError> {
    match reply {
        Ok(reply) if reply.is_positive() => Ok(reply),
        Ok(reply) => Err(classify(stage, reply).connect_error(reply.text())),
        Err(fault) => Err(silence(stage, &fault)),
    }
}

pub(crate) fn silence(stage: Stage, fault: &Fault) -> ConnectError {
    classify_silence(stage).connect_error(format!("{stage}: {fault}"))
}

async fn encrypt(
    stream: Stream,
    tls: Option<&Tls>,
    limit: Duration,
) -> Result<Stream, ConnectError> {
    let (Stream::Plain(stream), Some(tls)) = (stream, tls) else {
        return Err(refused("TLS is not set up".to_owned()));
    };
    match Deadline::new().within(limit, tls.handshake(stream)).await {
        Ok(shaken) => Ok(Stream::Tls(Box::new(shaken?))),
        Err(TimedOut) => Err(ConnectError::Transient {
            reply: format!("TLS: no handshake within {limit:?}"),
        }),
    }
}

async fn dial(relay: &Relay) -> Result<TcpStream, ConnectError> {
    let limit = relay.settings.limits.connect;
    match Deadline::new().within(limit, reach(relay, limit)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err((why, error))) => Err(unreached(relay, why, &error, SystemClock.monotonic())),
        Err(TimedOut) => {
            let slow = io::Error::other(format!("no connection within {limit:?}"));
            Err(unreached(relay, Unreached::Relay, &slow, Duration::ZERO))
        }
    }
}

/// What it means that there is no connection. A name that does not exist is remembered.
fn unreached(relay: &Relay, why: Unreached, error: &io::Error, now: Duration) -> ConnectError {
    let class = match why {
        Unreached::NoSuchName if relay.misses.missed(now) => {
            Class::PermanentConfig(HaltKind::Missing)
        }
        Unreached::NoSuchName | Unreached::Ourselves | Unreached::Relay => Class::TransientRelay,
    };
    let whose = match why {
        Unreached::Ourselves => "this machine can open no further connection: ",
        Unreached::NoSuchName | Unreached::Relay => "",
    };
    let target = &relay.settings.target;
    class.connect_error(
        format!("{}:{}: {whose}{error}", target.host, target.port),
        None,
    )
}

/// Tries the host's addresses in turn; one that swallows everything leaves time for the next.
async fn reach(relay: &Relay, limit: Duration) -> Result<TcpStream, (Unreached, io::Error)> {
    let target = &relay.settings.target;
    let addresses: Vec<SocketAddr> = lookup_host((target.host.as_str(), target.port))
        .await
        .map_err(|error| (classify_lookup(&error), error))?
        .collect();
    relay.misses.found();
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match Deadline::new()
            .within(share, TcpStream::connect(address))
            .await
        {
            Ok(Ok(stream)) => {
                // Without it a mail can wait 40 ms for the acknowledgement of the one before.
                match stream.set_nodelay(true) {
                    Ok(()) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Ok(Err(error)) => last = error,
            Err(TimedOut) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err((classify_connect(&last), last))
}

#[cfg(test)]
mod tests {
    use mailer_core::domain::HaltCause;

    use super::*;
    use crate::SmtpTransport;

    #[test]
    fn a_name_that_goes_on_not_to_exist_needs_somebody_to_act() {
        let transport = SmtpTransport::from_url("smtps://relay.exmaple").unwrap();
        let gone = io::Error::other("Name or service not known");
        let told = |minute: u64| {
            let now = Duration::from_secs(60 * minute);
            unreached(transport.relay(), Unreached::NoSuchName, &gone, now)
        };
        for minute in [0, 0, 2] {
            assert!(matches!(told(minute), ConnectError::Transient { .. }));
        }
        let ConnectError::Config { cause, reply } = told(5) else {
            panic!("it is still not there");
        };
        assert_eq!(cause, HaltCause::RelayMissing);
        assert_eq!(reply, "relay.exmaple:465: Name or service not known");
        // Another trouble says nothing about the name.
        let now = Duration::from_secs(600);
        let other = unreached(transport.relay(), Unreached::Relay, &gone, now);
        assert!(matches!(other, ConnectError::Transient { .. }));
    }
}
