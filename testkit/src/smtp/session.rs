//! One connection: the state machine of a well-behaved server, asking the script before every reply.

use std::{io, sync::Arc};

use tokio::net::TcpStream;

use super::{
    body::Progress,
    builder::Setup,
    command::{Path, Verb},
    log::OpenConnection,
    record::{Command, Outcome},
    reply::Reply,
    rule::{Action, Ending, Stage},
    script::Event,
    transaction::OpenTransaction,
    wire::Wire,
};
use crate::real_time::{sleep, within};

mod auth;
mod data;
mod envelope;

pub(super) struct Session {
    setup: Arc<Setup>,
    open: OpenConnection,
    wire: Wire,
    greeted: bool,
    encrypted: bool,
    authenticated: bool,
    transaction: Option<OpenTransaction>,
    refusals: u32,
    cut_after: Option<usize>,
}

/// The connection is over, one way or the other.
struct Ended;

enum Verdict {
    BehaveWell,
    Reply(Reply),
    End(Ending),
}

impl Session {
    pub(super) fn new(setup: Arc<Setup>, stream: TcpStream, number: u64) -> Self {
        Self {
            open: setup.log.open(number),
            wire: Wire::new(stream, setup.latency),
            setup,
            greeted: false,
            encrypted: false,
            authenticated: false,
            transaction: None,
            refusals: 0,
            cut_after: None,
        }
    }

    pub(super) async fn run(mut self) {
        let Err(Ended) = self.converse().await;
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, Ended> {
        if self.setup.tls.as_ref().is_some_and(|tls| tls.implicit) {
            self.handshake().await?;
        }
        let greeting = if self.setup.log.open_count() > self.setup.max_connections {
            Reply::new(421, "4.7.0 too many connections")
        } else {
            Reply::new(220, &format!("{} ESMTP ready", self.setup.host))
        };
        let greeting = self.answer(Stage::Connect, greeting).await?;
        let refused = greeting.code().is_some_and(|code| code >= 400);
        loop {
            let line = self.line().await?;
            match Verb::parse(&line) {
                Verb::Quit => self.quit().await?,
                _ if refused => self.send(Reply::new(503, "5.5.1 not welcome")).await?,
                verb => self.obey(verb).await?,
            }
        }
    }

    async fn obey(&mut self, verb: Verb<'_>) -> Result<(), Ended> {
        match verb {
            Verb::Ehlo => self.hello(Stage::Ehlo, self.capabilities()).await,
            Verb::Helo => {
                let host = self.setup.host.clone();
                self.hello(Stage::Helo, Reply::new(250, &host)).await
            }
            Verb::StartTls => self.start_tls().await,
            Verb::Auth { mechanism, initial } => self.auth(&mechanism, initial).await,
            Verb::Mail(path) => self.mail(path).await,
            Verb::Rcpt(path) => self.rcpt(path).await,
            Verb::Data => self.data().await,
            Verb::Rset => {
                self.abandon();
                let ok = Reply::new(250, "2.0.0 ok");
                self.answer(Stage::Rset, ok).await.map(drop)
            }
            Verb::Noop => {
                let ok = Reply::new(250, "2.0.0 ok");
                self.answer(Stage::Noop, ok).await.map(drop)
            }
            Verb::Vrfy => self.send(Reply::new(252, "2.5.0 cannot say")).await,
            Verb::Quit => self.quit().await,
            Verb::Unknown => self.send(Reply::new(500, "5.5.2 unknown command")).await,
        }
    }

    async fn hello(&mut self, stage: Stage, good: Reply) -> Result<(), Ended> {
        self.abandon();
        if self.answer(stage, good).await?.is_positive() {
            self.greeted = true;
        }
        Ok(())
    }

    fn capabilities(&self) -> Reply {
        let mut lines = vec![self.setup.host.clone()];
        lines.extend(self.setup.extensions.iter().cloned());
        if self.setup.tls.is_some() && !self.encrypted {
            lines.push("STARTTLS".to_owned());
        }
        let offers = [
            (self.setup.credentials.is_some(), " PLAIN LOGIN"),
            (self.setup.token.is_some(), " XOAUTH2"),
        ];
        if self.setup.is_guarded() {
            let offered = offers.iter().filter(|(is_offered, _)| *is_offered);
            let mechanisms: String = offered.map(|(_, mechanisms)| *mechanisms).collect();
            lines.push(format!("AUTH{mechanisms}"));
        }
        Reply::new(250, &lines.join("\n"))
    }

    async fn start_tls(&mut self) -> Result<(), Ended> {
        if self.setup.tls.is_none() || self.encrypted {
            return self
                .send(Reply::new(503, "5.5.1 STARTTLS not available"))
                .await;
        }
        let ready = Reply::new(220, "2.0.0 ready for TLS");
        if self.answer(Stage::StartTls, ready).await?.code() == Some(220) {
            self.handshake().await?;
            self.abandon();
            self.greeted = false;
            self.authenticated = false;
        }
        Ok(())
    }

    async fn handshake(&mut self) -> Result<(), Ended> {
        self.wire.flush().await?;
        match self.consult(Stage::Tls, None).await? {
            Verdict::BehaveWell => {}
            Verdict::Reply(reply) => self.send(reply).await?,
            Verdict::End(ending) => return Err(self.end(ending).await),
        }
        if let Some(tls) = &self.setup.tls {
            self.wire.upgrade(&tls.certificate.acceptor()).await?;
            self.encrypted = true;
            self.open.over_tls();
        }
        Ok(())
    }

    async fn quit(&mut self) -> Result<(), Ended> {
        let bye = Reply::new(221, "2.0.0 bye");
        match self.consult(Stage::Quit, None).await? {
            Verdict::BehaveWell if self.cut_after.is_some() => self.send(bye).await,
            Verdict::BehaveWell => {
                self.open.close();
                self.wire.write(bye.as_bytes());
                self.wire.close().await?;
                Err(Ended)
            }
            Verdict::Reply(reply) => self.send(reply).await,
            Verdict::End(ending) => Err(self.end(ending).await),
        }
    }

    /// Replies as the script says, else as given; returns the reply that was sent.
    async fn answer(&mut self, stage: Stage, good: Reply) -> Result<Reply, Ended> {
        self.answer_about(stage, None, good).await
    }

    async fn answer_about(
        &mut self,
        stage: Stage,
        recipient: Option<&str>,
        good: Reply,
    ) -> Result<Reply, Ended> {
        let reply = match self.consult(stage, recipient).await? {
            Verdict::BehaveWell => good,
            Verdict::Reply(reply) => reply,
            Verdict::End(ending) => return Err(self.end(ending).await),
        };
        self.send(reply.clone()).await?;
        Ok(reply)
    }

    /// Asks the script, which may take its time. The event's recipients are the one given or the accepted ones.
    async fn consult(&mut self, stage: Stage, recipient: Option<&str>) -> Result<Verdict, Ended> {
        let named = recipient.map(str::to_owned);
        let accepted = self.transaction.as_ref().map(|open| open.to.as_slice());
        let actions = self.setup.script.actions(Event {
            connection: self.open.number,
            stage,
            recipients: match &named {
                Some(named) => std::slice::from_ref(named),
                None => accepted.unwrap_or_default(),
            },
        });
        for action in actions {
            match action {
                Action::Delay(length) => {
                    self.wire.flush().await?;
                    sleep(length).await;
                }
                Action::Hear if self.wire.pending().is_empty() => {
                    let more = within(self.setup.idle_timeout, "more", self.wire.fill()).await;
                    if more.map_err(|_| Ended)?? == 0 {
                        return Err(Ended);
                    }
                }
                Action::Hear => {}
                Action::CutAfter(n) => self.cut_after = Some(n),
                Action::Reply(reply) => return Ok(Verdict::Reply(reply)),
                Action::End(ending) => return Ok(Verdict::End(ending)),
            }
        }
        Ok(Verdict::BehaveWell)
    }

    async fn send(&mut self, reply: Reply) -> Result<(), Ended> {
        if let Some(n) = self.cut_after.take() {
            let bytes = reply.as_bytes();
            self.wire.write(&bytes[..n.min(bytes.len())]);
            return Err(self.end(Ending::Cut).await);
        }
        self.wire.write(reply.as_bytes());
        let code = reply.code().unwrap_or_default();
        if code >= 400 {
            self.refusals += 1;
        }
        if code != 421 && self.refusals >= self.setup.max_errors {
            self.wire.write(b"421 4.7.0 too many errors\r\n");
        } else if code != 421 {
            return Ok(());
        }
        self.open.close();
        self.wire.close().await?;
        Err(Ended)
    }

    /// Settles the records first: before the client can know.
    async fn end(&mut self, ending: Ending) -> Ended {
        self.abandon();
        // A client that has gone first changes nothing: it is over either way.
        let _ = match ending {
            Ending::Cut => {
                self.open.close();
                self.wire.cut().await
            }
            Ending::Reset => {
                self.open.close();
                self.wire.reset().await
            }
            Ending::Stall => self.wire.stall().await,
            Ending::HalfClose => match self.wire.half_close().await {
                Ok(()) => self.wire.swallow().await,
                gone => gone,
            },
        };
        Ended
    }

    async fn line(&mut self) -> Result<String, Ended> {
        let line = match within(self.setup.idle_timeout, "command", self.wire.line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => return Err(Ended),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                self.send(Reply::new(421, "4.5.2 line too long")).await?;
                return Err(Ended);
            }
            Ok(Err(_)) => return Err(Ended),
            Err(_) => {
                self.send(Reply::new(421, "4.4.2 idle for too long"))
                    .await?;
                return Err(Ended);
            }
        };
        self.setup.log.command(Command {
            connection: self.open.number,
            read: self.wire.reads,
            at: self.wire.read_at,
            line: line.clone(),
        });
        Ok(line)
    }

    fn abandon(&mut self) {
        self.finish(Outcome::Abandoned);
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(open) = self.transaction.take() {
            let ended = open.end(self.open.number, self.wire.read_at, outcome);
            self.setup.log.transaction(ended);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}
