use std::{
    fs::{self, File},
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::smtp::{Keep, Keeping, SmtpServer};

const LONGEST_NAME: usize = 100;
/// Writes under way at a time: each takes a thread and a file descriptor.
const WRITES_AT_ONCE: usize = 8;

/// A mail catcher: accepts every mail and keeps it as an `.eml` file, the bytes as they came.
///
/// A file is named by a sequence number and the recipient, `000001-ann@x.example.eml`; a mail to more than one has
/// `+1` or more after the first. Numbers go on after those already in the folder and nothing is overwritten. A mail
/// that cannot be written is refused with 451 4.3.0.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let folder = dir.path().join("outbox");
/// let catcher = testkit::Catcher::start(&folder).await?;
/// // ... send to catcher.url() ...
/// assert_eq!(catcher.count(), 0);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Catcher {
    server: SmtpServer,
    mailbox: Arc<Mailbox>,
}

impl Catcher {
    /// Starts on a free port of 127.0.0.1, making the folder if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or no socket can be had.
    pub async fn start(folder: impl AsRef<Path>) -> io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), folder).await
    }

    /// Starts on this address, making the folder if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or read, or the address cannot be bound.
    pub async fn start_on(addr: SocketAddr, folder: impl AsRef<Path>) -> io::Result<Self> {
        let mailbox = Arc::new(Mailbox::open(folder.as_ref())?);
        let server = SmtpServer::builder()
            .host("catcher.example")
            .counting_only()
            .keep(Arc::new(SharedMailbox(Arc::clone(&mailbox))))
            .start_on(addr)
            .await?;
        Ok(Self { server, mailbox })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// `smtp://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where the mails are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.mailbox.folder
    }

    /// How many mails it has kept since it started.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.server.mail_count()
    }

    /// How many mails it had to refuse because they could not be written.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.mailbox.failures.load(Ordering::Relaxed)
    }

    /// The largest number of connections open at the same time.
    #[must_use]
    pub fn connections_peak(&self) -> usize {
        self.server.connections_peak()
    }

    /// Waits until it has kept `n` mails.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`], saying how many there are.
    pub async fn wait_for(&self, n: usize, limit: Duration) -> io::Result<()> {
        self.server.wait_for_mails(n, limit).await.map(drop)
    }

    /// Closes its port and its connections, and returns when both are gone.
    pub async fn stop(&mut self) {
        self.server.stop().await;
    }
}

#[derive(Debug)]
struct Mailbox {
    folder: PathBuf,
    next: AtomicU64,
    failures: AtomicU64,
    writes: Semaphore,
}

#[derive(Debug)]
struct SharedMailbox(Arc<Mailbox>);

impl Keep for SharedMailbox {
    fn keep(&self, to: Vec<String>, body: Vec<u8>) -> Keeping<'_> {
        let mailbox = Arc::clone(&self.0);
        Box::pin(async move {
            let _turn = self.0.writes.acquire().await.map_err(io::Error::other)?;
            let written = tokio::task::spawn_blocking(move || mailbox.write(&to, &body)).await;
            let written = written.unwrap_or_else(|panicked| Err(panicked.into()));
            if written.is_err() {
                self.0.failures.fetch_add(1, Ordering::Relaxed);
            }
            written
        })
    }
}

impl Mailbox {
    fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut last = 0;
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let number = name.split('-').next().and_then(|head| head.parse().ok());
            last = last.max(number.unwrap_or(0));
        }
        Ok(Self {
            folder: folder.to_owned(),
            next: AtomicU64::new(last + 1),
            failures: AtomicU64::new(0),
            writes: Semaphore::new(WRITES_AT_ONCE),
        })
    }

    fn write(&self, to: &[String], body: &[u8]) -> io::Result<()> {
        let recipients = file_name_part(to);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{number:06}-{recipients}.eml"));
            match File::create_new(&path) {
                Ok(mut file) => {
                    return file.write_all(body).inspect_err(|_| {
                        // Half a mail would look like a whole one; the client hears of the failure.
                        let _ = fs::remove_file(&path);
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn file_name_part(to: &[String]) -> String {
    let first = to.first().map_or("nobody", String::as_str);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@.+-_=".contains(c);
    let name = first.chars().map(|c| if is_plain(c) { c } else { '_' });
    let name: String = name.take(LONGEST_NAME).collect();
    match to.len().saturating_sub(1) {
        0 => name,
        more => format!("{name}+{more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_the_folder() {
        let part =
            |to: &[&str]| file_name_part(&to.iter().map(|&s| s.to_owned()).collect::<Vec<_>>());
        assert_eq!(part(&["a+b@x.example"]), "a+b@x.example");
        assert_eq!(part(&["../../etc/x\0@é", "b@x"]), ".._.._etc_x_@_+1");
        assert_eq!(part(&["a".repeat(300).as_str()]).len(), LONGEST_NAME);
    }

    #[test]
    fn numbers_go_on_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let to = ["a@x".to_owned()];
        Mailbox::open(dir.path()).unwrap().write(&to, b"1").unwrap();
        let first = Mailbox::open(dir.path()).unwrap();
        let second = Mailbox::open(dir.path()).unwrap();
        first.write(&to, b"2").unwrap();
        second.write(&to, b"3").unwrap();
        for n in 1..=3 {
            let file = dir.path().join(format!("00000{n}-a@x.eml"));
            assert_eq!(fs::read_to_string(file).unwrap(), n.to_string());
        }
    }
}
