//! Stands in for the SMTP transport until that is there.

use async_trait::async_trait;
use mailer_core::domain::Outcome;
use mailer_core::transport::{ConnectError, Session, Transport, Work};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SmtpConfigError {
    #[error("unknown scheme {0:?}")]
    Scheme(String),
}

#[derive(Debug, Clone)]
pub(crate) struct SmtpTransport {
    addr: String,
    connections: usize,
}

impl SmtpTransport {
    pub(crate) fn from_url(url: &str) -> Result<Self, SmtpConfigError> {
        let addr = url
            .strip_prefix("smtp://")
            .ok_or_else(|| SmtpConfigError::Scheme(url.to_owned()))?;
        Ok(Self {
            addr: addr.to_owned(),
            connections: 8,
        })
    }
    pub(crate) fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }
}

#[derive(Debug)]
struct Plain(BufStream<TcpStream>);

#[async_trait]
impl Transport for SmtpTransport {
    fn max_connections(&self) -> usize {
        self.connections
    }
    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        let open = async {
            let mut plain = Plain(BufStream::new(TcpStream::connect(&self.addr).await?));
            plain.reply().await?;
            plain.ask("EHLO localhost\r\n").await?;
            Ok::<_, std::io::Error>(plain)
        };
        match open.await {
            Ok(plain) => Ok(Box::new(plain)),
            Err(error) => Err(ConnectError::Transient {
                reply: error.to_string(),
            }),
        }
    }
}

impl Plain {
    async fn ask(&mut self, text: &str) -> std::io::Result<String> {
        self.0.write_all(text.as_bytes()).await?;
        self.0.flush().await?;
        self.reply().await
    }
    async fn reply(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line);
            }
        }
    }
}

#[async_trait]
impl Session for Plain {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, email)) = work.next().await {
            let Ok(flight) = permit.begin() else { continue };
            let from = email.from.address();
            let to = email.to.address();
            let body = format!(
                "Subject: {}\r\n\r\n{:?}\r\n.\r\n",
                email.draft.subject, email.draft.body
            );
            let mut sent = Ok(String::new());
            for text in [
                format!("MAIL FROM:<{from}>\r\n"),
                format!("RCPT TO:<{to}>\r\n"),
                "DATA\r\n".to_owned(),
                body,
            ] {
                sent = self.ask(&text).await;
                if !sent
                    .as_ref()
                    .is_ok_and(|reply| reply.starts_with(['2', '3']))
                {
                    break;
                }
            }
            match sent {
                Ok(reply) if reply.starts_with('2') => flight.finish(Outcome::Sent { reply }),
                Ok(reply) => flight.finish(Outcome::TransientRecipient {
                    reply,
                    retry_after: None,
                }),
                Err(error) => {
                    flight.finish(Outcome::TransientRelay {
                        reply: error.to_string(),
                    });
                    return;
                }
            }
        }
    }
}
