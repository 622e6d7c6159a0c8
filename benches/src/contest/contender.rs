use std::fmt;
use std::str::FromStr;

use testkit::{Fsync, RedisServer, RedisServerBuilder};

/// Somebody who sends mails over SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contender {
    /// Postfix's load generator: no queue, no limits, no outcomes, one fixed mail.
    SmtpSource,
    /// `mailer-smtp` alone, without an engine.
    Transport {
        /// Whether an envelope leaves behind the dot before it.
        overlap: bool,
    },
    /// The command `campaign`: the whole engine, every guarantee on.
    Engine(StoreKind),
    /// The pool of lettre, as it comes.
    Lettre,
    /// mail-send, a connection for each task.
    MailSend,
    /// The pool of Nodemailer.
    Nodemailer,
}

/// Where the engine keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// In the process.
    Memory,
    /// Redis without an append-only file.
    RedisNoAof,
    /// Redis, whose file reaches the disk every second.
    RedisEverySecond,
    /// Redis, whose file reaches the disk before it answers.
    RedisAlways,
}

impl Contender {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::SmtpSource,
        Self::Transport { overlap: true },
        Self::Transport { overlap: false },
        Self::Engine(StoreKind::Memory),
        Self::Engine(StoreKind::RedisNoAof),
        Self::Engine(StoreKind::RedisEverySecond),
        Self::Engine(StoreKind::RedisAlways),
        Self::Lettre,
        Self::MailSend,
        Self::Nodemailer,
    ];

    /// What it is called on the command line and in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmtpSource => "smtp-source",
            Self::Transport { overlap: true } => "transport",
            Self::Transport { overlap: false } => "transport-no-overlap",
            Self::Engine(store) => store.name(),
            Self::Lettre => "lettre",
            Self::MailSend => "mail-send",
            Self::Nodemailer => "nodemailer",
        }
    }
}

impl StoreKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::RedisNoAof => "redis-no-aof",
            Self::RedisEverySecond => "redis-everysec",
            Self::RedisAlways => "redis-always",
        }
    }

    pub(super) fn server(self) -> Option<RedisServerBuilder> {
        let builder = RedisServer::builder();
        match self {
            Self::Memory => None,
            Self::RedisNoAof => Some(builder),
            Self::RedisEverySecond => Some(builder.append_only(Fsync::EverySecond)),
            Self::RedisAlways => Some(builder.append_only(Fsync::Always)),
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Contender {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("{name:?} is none of {names}")
        })
    }
}
