//! The way out: the relay that was named, or else a catcher.

use std::fmt;
use std::path::Path;

use mailer_smtp::SmtpTransport;
use testkit::Catcher;

use crate::args::Options;
use crate::failure::Failure;

const OUTBOX: &str = "./outbox";

#[derive(Debug)]
pub(crate) struct Relay {
    transport: SmtpTransport,
    catcher: Option<Catcher>,
    shown: String,
}

impl Relay {
    /// Checks the URL, or starts a catcher. Connects to nothing yet.
    pub(crate) async fn open(options: &Options) -> Result<Self, Failure> {
        match &options.smtp {
            Some(url) => Self::new(url, None, options),
            None => {
                let catcher = Catcher::start(OUTBOX)
                    .await
                    .map_err(|error| Failure::Catcher {
                        folder: OUTBOX.into(),
                        error,
                    })?;
                Self::new(&catcher.url(), Some(catcher), options)
            }
        }
    }

    fn new(url: &str, catcher: Option<Catcher>, options: &Options) -> Result<Self, Failure> {
        let transport = SmtpTransport::builder(url)
            .connections(options.connections.get())
            .build()?;
        Ok(Self {
            transport,
            catcher,
            shown: without_login(url),
        })
    }

    pub(crate) fn transport(&self) -> SmtpTransport {
        self.transport.clone()
    }

    /// Where the mails are kept, if they are.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.catcher.as_ref().map(Catcher::folder)
    }
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.folder() {
            Some(folder) => write!(f, "a catcher: the mails are files in {}", folder.display()),
            None => f.write_str(&self.shown),
        }
    }
}

/// A URL without user and password, for people to read.
fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}
