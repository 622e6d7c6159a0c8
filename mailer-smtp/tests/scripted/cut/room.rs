use std::sync::Arc;
use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::conformance::transport::{Delivered, Rig};
use mailer_smtp::{SmtpTransport, TimeLimits};
use testkit::{Certificate, Cut, FaultProxy, Rule, SmtpServer, Stage, Traffic, Transaction};

/// The mails of a session, in this order.
pub(super) const MAILS: [&str; 3] = ["one", "two", "three"];
/// The mail that goes over the same transport when all is over.
pub(super) const AFTER: &str = "after";

/// No run takes longer, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the two sides talk to each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) pipelining: bool,
    pub(super) overlap: bool,
    pub(super) tls: bool,
    /// Whether the transport loses its patience within a second.
    pub(super) is_hasty: bool,
}

/// What became of a session, on both sides and between them.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) room: Room,
    pub(super) cut: Option<Cut>,
    pub(super) delivered: Delivered,
    pub(super) after: Delivered,
    pub(super) transactions: Vec<Transaction>,
    /// By connection.
    pub(super) spoken: Vec<Spoken>,
}

/// What went over one connection, as text where there is text in it.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) by_client: String,
    pub(super) to_client: String,
}

/// A server, and the network before it; there is one session at a time.
#[derive(Debug)]
pub(super) struct Lane {
    room: Room,
    server: SmtpServer,
    network: FaultProxy,
    transport: Arc<SmtpTransport>,
}

impl Lane {
    pub(super) async fn start(room: Room) -> Self {
        let server = room.server().await;
        let network = FaultProxy::start(server.addr()).await.unwrap();
        let transport = Arc::new(room.transport(&server, &network));
        Self {
            room,
            server,
            network,
            transport,
        }
    }

    /// Three mails over one connection, which is cut, and one more.
    pub(super) async fn run(&self, cut: Option<Cut>) -> Run {
        let Self {
            room,
            server,
            network,
            transport,
        } = self;
        server.forget();
        network.record();
        if let Some(cut) = cut {
            network.cut_next(cut);
        }
        let rig = Rig::new(transport.clone()).small();
        let (delivered, after) = tokio::select! {
            both = async { (rig.deliver(MAILS).await, rig.deliver([AFTER]).await) } => both,
            () = SystemClock.sleep(PATIENCE) => panic!("{room:?} {cut:?}: no end within {PATIENCE:?}"),
        };
        server.wait_until_idle(PATIENCE).await.unwrap();
        Run {
            room: *room,
            cut,
            delivered,
            after,
            transactions: server.transactions(),
            spoken: network.traffic().iter().map(Spoken::new).collect(),
        }
    }
}

impl Room {
    /// How many bytes a whole session has, by the client and by the server.
    pub(super) async fn lengths(self) -> (usize, usize) {
        let whole = Lane::start(self).await.run(None).await;
        whole.judge();
        let length = |text: &str| text.chars().count();
        let spoken = &whole.spoken[0];
        (length(&spoken.by_client), length(&spoken.to_client))
    }

    /// Each mail has a verdict of its own.
    async fn server(self) -> SmtpServer {
        let mut builder = SmtpServer::builder();
        if self.overlap {
            // Long enough for the next envelope to leave before it.
            builder = builder.rule(Rule::at(Stage::Dot).delay(Duration::from_millis(3)));
        }
        for name in MAILS.into_iter().chain([AFTER]) {
            let verdict = Rule::at(Stage::Dot).to(&format!("{name}@example.com"));
            builder = builder.rule(verdict.reply(250, &format!("2.0.0 {name}")));
        }
        if !self.pipelining {
            builder = builder.without("PIPELINING");
        }
        if self.tls {
            builder = builder.implicit_tls(certificate());
        }
        builder.start().await.unwrap()
    }

    fn transport(self, server: &SmtpServer, network: &FaultProxy) -> SmtpTransport {
        let scheme = if self.tls { "smtps" } else { "smtp" };
        let url = format!("{scheme}://{}", network.addr());
        let mut builder = SmtpTransport::builder(&url)
            .connections(1)
            .overlap(self.overlap);
        if let Some(authority) = server.ca_pem() {
            builder = builder.trust_pem(authority);
        }
        if self.is_hasty {
            builder = builder.time_limits(hasty());
        }
        builder.build().unwrap()
    }
}

fn hasty() -> TimeLimits {
    let mut limits = TimeLimits::default();
    let second = Duration::from_secs(1);
    limits.setup = second;
    limits.command = second;
    limits.block = second;
    limits.after_dot = second;
    limits
}

impl Spoken {
    fn new(traffic: &Traffic) -> Self {
        // One character for each byte, so that lengths are those on the wire.
        let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
        Self {
            by_client: text(&traffic.from_client),
            to_client: text(&traffic.to_client),
        }
    }
}

/// Made once: a key takes longer than a session.
fn certificate() -> Certificate {
    static ONCE: std::sync::OnceLock<Certificate> = std::sync::OnceLock::new();
    ONCE.get_or_init(|| Certificate::for_names(&["127.0.0.1"]).unwrap())
        .clone()
}
