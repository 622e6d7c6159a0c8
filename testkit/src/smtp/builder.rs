use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use super::{Rule, SmtpServer, log::Log, script::Script};
use crate::Certificate;

/// How an [`SmtpServer`] is set up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use testkit::{Rule, SmtpServer, Stage};
///
/// let server = SmtpServer::builder()
///     .auth("user", "secret")
///     .without("PIPELINING")
///     .rule(Rule::at(Stage::Rcpt).to("bad@x.example").reply(550, "5.1.1 no such user"))
///     .start()
///     .await?;
/// assert!(server.url().starts_with("smtp://127.0.0.1:"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct SmtpServerBuilder {
    rules: Vec<Rule>,
    setup: Setup,
    in_full: bool,
}

/// What the connections of a server share.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) log: Arc<Log>,
    pub(super) script: Script,
    pub(super) host: String,
    pub(super) extensions: Vec<String>,
    pub(super) max_size: usize,
    pub(super) credentials: Option<(String, String)>,
    pub(super) token: Option<(String, String)>,
    pub(super) tls: Option<Tls>,
    pub(super) max_connections: usize,
    pub(super) max_errors: u32,
    pub(super) idle_timeout: Duration,
    pub(super) latency: Duration,
    pub(super) keep: Option<Arc<dyn Keep>>,
}

#[derive(Debug)]
pub(super) struct Tls {
    pub(super) certificate: Certificate,
    pub(super) implicit: bool,
}

/// Where mails go before they are acknowledged; an error is told to the client as 451 4.3.0.
pub(crate) trait Keep: fmt::Debug + Send + Sync {
    fn keep(&self, to: Vec<String>, body: Vec<u8>) -> Keeping<'_>;
}

pub(crate) type Keeping<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

impl SmtpServerBuilder {
    pub(super) fn new() -> Self {
        let extensions = ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];
        Self {
            rules: Vec::new(),
            in_full: true,
            setup: Setup {
                log: Log::new(true),
                script: Script::default(),
                host: "relay.example".to_owned(),
                extensions: extensions.map(str::to_owned).to_vec(),
                max_size: 50 * 1024 * 1024,
                credentials: None,
                token: None,
                tls: None,
                max_connections: usize::MAX,
                max_errors: u32::MAX,
                idle_timeout: Duration::from_secs(300),
                latency: Duration::ZERO,
                keep: None,
            },
        }
        .with("SIZE 52428800")
    }

    /// Adds a line to the script.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds lines to the script.
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// Offers AUTH PLAIN and LOGIN, and refuses `MAIL` with 530 until this user has come in.
    pub fn auth(mut self, user: &str, password: &str) -> Self {
        self.setup.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Offers AUTH XOAUTH2, and refuses `MAIL` with 530 until this user has come in with this token. Beside
    /// [`auth`](Self::auth) either will do.
    pub fn xoauth2(mut self, user: &str, token: &str) -> Self {
        self.setup.token = Some((user.to_owned(), token.to_owned()));
        self
    }

    /// Offers STARTTLS.
    pub fn starttls(mut self, certificate: Certificate) -> Self {
        self.setup.tls = Some(Tls {
            certificate,
            implicit: false,
        });
        self
    }

    /// Speaks TLS from the first byte.
    pub fn implicit_tls(mut self, certificate: Certificate) -> Self {
        self.setup.tls = Some(Tls {
            certificate,
            implicit: true,
        });
        self
    }

    /// Announces this extension line; it replaces one with the same keyword. Announced does not mean implemented.
    pub fn with(mut self, extension: &str) -> Self {
        let keyword = extension.split(' ').next().unwrap_or_default();
        self = self.without(keyword);
        self.setup.extensions.push(extension.to_owned());
        self
    }

    /// Does not announce this extension, and refuses its parameters.
    pub fn without(mut self, keyword: &str) -> Self {
        self.setup
            .extensions
            .retain(|line| !has_keyword(line, keyword));
        self
    }

    /// Announces this limit and refuses larger mails, declared or sent, with 552. At first 50 MiB.
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.setup.max_size = bytes;
        self.with(&format!("SIZE {bytes}"))
    }

    /// Greets connections beyond this many with 421 4.7.0 and closes them.
    pub fn max_connections(mut self, n: usize) -> Self {
        self.setup.max_connections = n;
        self
    }

    /// Closes a connection with 421 4.7.0 after this many refusals, as Postfix does after 20.
    pub fn max_errors(mut self, n: u32) -> Self {
        self.setup.max_errors = n;
        self
    }

    /// Closes a connection with 421 4.4.2 after this much silence. At first 5 minutes.
    pub fn idle_timeout(mut self, length: Duration) -> Self {
        self.setup.idle_timeout = length;
        self
    }

    /// Waits this long after every read from the socket: the round trip time of a distant relay.
    pub fn latency(mut self, round_trip: Duration) -> Self {
        self.setup.latency = round_trip;
        self
    }

    /// The name in the greeting. At first `relay.example`.
    pub fn host(mut self, name: &str) -> Self {
        name.clone_into(&mut self.setup.host);
        self
    }

    /// Counts mails but keeps neither them nor commands nor connections: for long runs.
    pub fn counting_only(mut self) -> Self {
        self.in_full = false;
        self
    }

    pub(crate) fn keep(mut self, keep: Arc<dyn Keep>) -> Self {
        self.setup.keep = Some(keep);
        self
    }

    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn start(self) -> io::Result<SmtpServer> {
        self.start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
    }

    /// Starts on this address.
    ///
    /// # Errors
    /// When the address cannot be bound, or stays in use for two seconds.
    pub async fn start_on(mut self, addr: SocketAddr) -> io::Result<SmtpServer> {
        self.setup.log = Log::new(self.in_full);
        self.setup.script = Script::new(self.rules);
        SmtpServer::launch(self.setup, addr).await
    }
}

impl Setup {
    /// Whether somebody must come in before `MAIL`.
    pub(super) fn is_guarded(&self) -> bool {
        self.credentials.is_some() || self.token.is_some()
    }

    pub(super) fn announces(&self, keyword: &str) -> bool {
        self.extensions
            .iter()
            .any(|line| has_keyword(line, keyword))
    }
}

fn has_keyword(line: &str, keyword: &str) -> bool {
    line.split(' ')
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case(keyword))
}
