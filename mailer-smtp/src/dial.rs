use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mailer_core::transport::ConnectError;
use tokio::net::{TcpStream, lookup_host};

use crate::classify::{Stage, classify, classify_silence};
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
        if let Some(login) = &settings.target.login {
            log_in(&mut wire, login, &extensions, limits.setup).await?;
        }
        Ok(Self { wire, extensions })
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
        Ok(reply) => Err(classify(stage, reply).connect_error(reply.text(), reply.retry_after())),
        Err(fault) => Err(silence(stage, &fault)),
    }
}

pub(crate) fn silence(stage: Stage, fault: &Fault) -> ConnectError {
    classify_silence(stage).connect_error(format!("{stage}: {fault}"), None)
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
    let target = &relay.settings.target;
    let limit = relay.settings.limits.connect;
    let failed = |why: &dyn std::fmt::Display| ConnectError::Transient {
        reply: format!("{}:{}: {why}", target.host, target.port),
    };
    let connected = Deadline::new()
        .within(limit, try_each(&target.host, target.port, limit))
        .await
        .map_err(|TimedOut| failed(&format_args!("no connection within {limit:?}")))?;
    connected.map_err(|error| failed(&error))
}

/// Tries the host's addresses in turn; one that swallows everything leaves time for the next.
async fn try_each(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match Deadline::new()
            .within(share, TcpStream::connect(address))
            .await
        {
            Ok(Ok(stream)) => {
                // Without it a mail can wait 40 ms for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(TimedOut) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
