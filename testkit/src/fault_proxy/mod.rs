//! A network that fails on command.

mod carry;
mod cut;
mod distance;
mod traffic;

use std::{
    io,
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::process::free_addr;
use carry::{Fate, carry};
pub use cut::Cut;
use distance::Talk;
use traffic::Record;
pub use traffic::Traffic;

/// A TCP proxy on loopback between a client and a server of any protocol, which fails when the test says so.
///
/// It begins by passing everything on. Each fault lasts until [`pass`](Self::pass); dropping the proxy cuts everything.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use testkit::{FaultProxy, SmtpServer};
///
/// let server = SmtpServer::builder().start().await?;
/// let mut network = FaultProxy::start(server.addr()).await?;
/// // … let the client talk to network.addr() …
/// network.stall();
/// network.pass().await?;
/// network.cut().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    listener: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    flow: watch::Sender<Flow>,
    turns: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    connections: Vec<JoinHandle<()>>,
    accepted: usize,
    random: fastrand::Rng,
    cut_after: Option<Range<usize>>,
    cut_next: Option<Cut>,
    /// None: nothing is recorded.
    records: Option<Vec<Record>>,
    latency: Duration,
}

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Pass,
    /// They wait.
    Stall,
    /// They are lost, and with them whatever comes later on the same connection.
    Lose,
}

impl FaultProxy {
    /// Listens on a free port and connects every client to `server`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        Self::start_seeded(server, 0).await
    }

    /// The same, with a seed for what is left to chance: where [`cut_each_after`](Self::cut_each_after) cuts.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start_seeded(server: SocketAddr, seed: u64) -> io::Result<Self> {
        // It gives its port up while it refuses, and must get it back.
        let listener = TcpListener::bind(free_addr()?).await?;
        let mut proxy = Self {
            addr: listener.local_addr()?,
            listener: None,
            shared: Arc::new(Shared {
                server,
                flow: watch::Sender::new(Flow::Pass),
                turns: Arc::default(),
                state: Mutex::new(State {
                    connections: Vec::new(),
                    accepted: 0,
                    random: fastrand::Rng::with_seed(seed),
                    cut_after: None,
                    cut_next: None,
                    records: None,
                    latency: Duration::ZERO,
                }),
            }),
        };
        proxy.listen(listener);
        Ok(proxy)
    }

    /// What the client is to dial.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many clients have come so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.lock().accepted
    }

    /// Everything is as it should be again. Bytes that were held back go on; those that were lost stay lost.
    ///
    /// # Errors
    /// When it refused clients, and its port is no longer free.
    pub async fn pass(&mut self) -> io::Result<()> {
        {
            let mut state = self.shared.lock();
            (state.cut_after, state.cut_next) = (None, None);
        }
        self.shared.flow.send_replace(Flow::Pass);
        if self.listener.is_none() {
            let listener = TcpListener::bind(self.addr).await?;
            self.listen(listener);
        }
        Ok(())
    }

    /// Cuts all present connections, as a reset does; new ones are welcome.
    pub async fn cut(&mut self) {
        let connections = std::mem::take(&mut self.shared.lock().connections);
        for connection in connections {
            connection.abort();
            // Either way it has ended.
            let _ = connection.await;
        }
    }

    /// Holds all bytes back, in both directions. Clients can connect.
    pub fn stall(&self) {
        self.shared.flow.send_replace(Flow::Stall);
    }

    /// Loses all bytes, in both directions. Clients can connect; nobody is told anything.
    pub fn black_hole(&self) {
        self.shared.flow.send_replace(Flow::Lose);
    }

    /// Refuses new clients; present connections go on.
    pub async fn refuse(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
            // The port is closed when the task has ended, either way.
            let _ = listener.await;
        }
    }

    /// Cuts each new connection after a number of bytes, both directions counted, that chance takes from `range`.
    pub fn cut_each_after(&self, range: Range<usize>) {
        self.shared.lock().cut_after = Some(range);
    }

    /// Cuts the next new connection at this position; those after it are whole.
    pub fn cut_next(&self, cut: Cut) {
        self.shared.lock().cut_next = Some(cut);
    }

    /// Keeps what each connection carries from now on, new ones only: for short runs.
    pub fn record(&self) {
        self.shared.lock().records = Some(Vec::new());
    }

    /// What was [recorded](Self::record), by connection in the order of acceptance.
    #[must_use]
    pub fn traffic(&self) -> Vec<Traffic> {
        let state = self.shared.lock();
        state.records.iter().flatten().map(Record::read).collect()
    }

    /// Each new connection carries every byte this much later, in either direction: an answer takes twice as long.
    pub fn latency(&self, one_way: Duration) {
        self.shared.lock().latency = one_way;
    }

    /// How often a client has spoken after the server had: the times that a conversation waits for the way there and
    /// back, over all connections. What a server says first is waited for too, and is not counted.
    ///
    /// Who speaks while the other's words are still under way is counted right if the way is long; see
    /// [`latency`](Self::latency).
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.shared.turns.load(Ordering::Relaxed)
    }

    fn listen(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        self.listener = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.accept(client);
            }
        }));
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let connections = std::mem::take(&mut self.shared.lock().connections);
        for task in connections.into_iter().chain(self.listener.take()) {
            task.abort();
        }
    }
}

impl Shared {
    fn accept(&self, client: TcpStream) {
        let mut state = self.lock();
        let state = &mut *state;
        let range = state.cut_after.clone();
        let bytes = range.map_or(usize::MAX, |range| state.random.usize(range));
        state.accepted += 1;
        state.connections.retain(|task| !task.is_finished());
        let record = state.records.as_mut().map(|records| {
            let record = Record::default();
            records.push(record.clone());
            record
        });
        let fate = Fate {
            flow: self.flow.subscribe(),
            bytes,
            cut: state.cut_next.take(),
            record,
            latency: state.latency,
            talk: Talk::new(Arc::clone(&self.turns)),
        };
        let task = carry(client, self.server, fate);
        state.connections.push(tokio::spawn(async move {
            // Its end is all that anybody learns of a failure.
            let _ = task.await;
        }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
