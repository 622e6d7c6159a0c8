use std::{fs, io, net::SocketAddr, os::unix::fs::MetadataExt, time::Duration};

use tokio::{io::AsyncReadExt, net::TcpStream};

use super::{Postfix, SaslServer, config::LOG};
use crate::{
    Certificate,
    process::{LaunchError, Process, Program, free_addr},
    real_time::within,
};

/// Debian keeps it beside what nobody calls by hand.
const MASTER: Program = Program {
    name: "/usr/lib/postfix/sbin/master",
    package: "postfix",
    has_group: true,
    variable: "POSTFIX_MASTER",
};
const PORT_TRIES: u32 = 5;
/// How a [`Postfix`] is launched.
///
/// ```
/// let certificate = testkit::Certificate::for_names(&["127.0.0.1"])?;
/// let builder = testkit::Postfix::builder().starttls(certificate).auth("ann", "secret");
/// # drop(builder);
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PostfixBuilder {
    pub(super) settings: Vec<(String, String)>,
    pub(super) refused: Vec<(String, String)>,
    pub(super) certificate: Option<Certificate>,
    pub(super) implicit_tls: bool,
    login: Option<(String, String)>,
}

impl PostfixBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Vec::new(),
            refused: Vec::new(),
            certificate: None,
            implicit_tls: false,
            login: None,
        }
    }

    /// A parameter of `main.cf`; the last word on it counts.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Refuses this recipient, or all of this domain, with this reply.
    pub fn refuse(mut self, recipient: &str, reply: &str) -> Self {
        self.refused.push((recipient.to_owned(), reply.to_owned()));
        self
    }

    /// Offers STARTTLS, and asks for it before everything else.
    pub fn starttls(mut self, certificate: Certificate) -> Self {
        (self.certificate, self.implicit_tls) = (Some(certificate), false);
        self
    }

    /// Speaks TLS from the first byte.
    pub fn implicit_tls(mut self, certificate: Certificate) -> Self {
        (self.certificate, self.implicit_tls) = (Some(certificate), true);
        self
    }

    /// Takes mail from this user only, who logs in with AUTH PLAIN.
    pub fn auth(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Launches it.
    ///
    /// # Errors
    /// When it is not installed, does not like a setting or does not serve, and when this process is not root's: nobody
    /// else may start a Postfix.
    pub async fn start(self) -> Result<Postfix, LaunchError> {
        let mut tries = 1;
        loop {
            match self.try_start().await {
                // The port was taken between the choice and the launch.
                Err(LaunchError::Died { log, .. })
                    if tries < PORT_TRIES && log.contains("Address already in use") =>
                {
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_start(&self) -> Result<Postfix, LaunchError> {
        let io_error = |source| LaunchError::Io {
            program: MASTER.name,
            source,
        };
        let folder = tempfile::tempdir().map_err(io_error)?;
        if fs::metadata(folder.path()).map_err(io_error)?.uid() != 0 {
            return Err(LaunchError::NotRoot {
                program: MASTER.name,
            });
        }
        let Some(owner) = user_of_postfix().map_err(io_error)? else {
            return Err(LaunchError::Missing {
                program: MASTER.name,
                package: MASTER.package,
            });
        };
        let sasl = match &self.login {
            Some((user, password)) => Some(SaslServer::start(user, password).await),
            None => None,
        };
        let sasl = sasl.transpose().map_err(io_error)?;
        let addr = free_addr().map_err(io_error)?;
        self.lay_out(folder.path(), owner, addr, sasl.as_ref())
            .map_err(io_error)?;

        let config = folder.path().join("config").to_string_lossy().into_owned();
        // Not a daemon: it stays this process, and says what is wrong.
        let arguments = ["-d".to_owned(), "-c".to_owned(), config];
        let log = folder.path().join(LOG);
        let process = Process::launch(MASTER, &arguments, &log, addr, probe).await?;
        let scheme = if self.implicit_tls { "smtps" } else { "smtp" };
        Ok(Postfix {
            process,
            addr,
            url: format!("{scheme}://{addr}"),
            ca_pem: self.certificate.as_ref().map(|own| own.ca_pem().to_owned()),
            folder,
            _sasl: sasl,
        })
    }
}

/// The user that its package makes for its daemons.
fn user_of_postfix() -> io::Result<Option<u32>> {
    let users = fs::read_to_string("/etc/passwd")?;
    let own = users.lines().find_map(|line| line.strip_prefix("postfix:"));
    Ok(own.and_then(|fields| fields.split(':').nth(1)?.parse().ok()))
}

/// Connects and waits for the greeting; over TLS nobody greets, so an accepted connection will do.
async fn probe(addr: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    let greeting = stream.read_u8();
    let _ = within(Duration::from_secs(1), "greeting", greeting).await;
    Ok(())
}
