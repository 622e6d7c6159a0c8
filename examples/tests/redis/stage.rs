//! A Redis, a relay, and processes of `campaign` between them.

use std::collections::BTreeSet;
use std::time::Duration;

use mailer_core::clock::{Clock as _, SystemClock};
use mailer_core::domain::{CampaignState, Status};
use testkit::{RedisServer, SmtpServer};
use tokio::process::Child;

use crate::program::{Ended, Place, ended};

pub(crate) const NAMESPACE: &str = "crm:mailer";
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct Stage {
    pub(crate) redis: RedisServer,
    pub(crate) relay: SmtpServer,
    pub(crate) place: Place,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with_relay(SmtpServer::builder().start().await.unwrap()).await
    }

    pub(crate) async fn with_relay(relay: SmtpServer) -> Self {
        Self {
            redis: RedisServer::builder().start().await.unwrap(),
            relay,
            place: Place::new(),
        }
    }

    /// Runs `campaign` with these arguments to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        ended(self.start(args)).await
    }

    /// The same, and expects success.
    pub(crate) async fn must(&self, args: &[&str]) -> Ended {
        let ended = self.run(args).await;
        assert_eq!(ended.code, Some(0), "{args:?} {ended:?}");
        ended
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.start_program(env!("CARGO_BIN_EXE_campaign"), &[], args)
    }

    /// Starts `program`, which may be another one that starts `campaign`, named by the last word of `before`.
    pub(crate) fn start_program(&self, program: &str, before: &[&str], args: &[&str]) -> Child {
        let (store, relay) = (self.redis.url(), self.relay.url());
        let store = [
            "--store",
            &store,
            "--namespace",
            NAMESPACE,
            "--smtp",
            &relay,
        ];
        let args: Vec<&str> = before.iter().chain(args).copied().chain(store).collect();
        self.place.start_program(program, &args)
    }

    /// Submits a campaign to this many recipients.
    pub(crate) async fn submit(&self, id: &str, recipients: usize, more: &[&str]) {
        let file = self.place.recipients(recipients);
        let args = ["submit", "--id", id, "--recipients", &file];
        let args: Vec<&str> = args.iter().chain(more).copied().collect();
        self.must(&args).await;
    }

    pub(crate) async fn status(&self, id: &str) -> Status {
        self.must(&["status", id, "--json"]).await.status()
    }

    /// Waits until a campaign is deferred by a limit and nothing of it is in flight.
    pub(crate) async fn is_deferred(&self, id: &str, reason: &str) -> Status {
        let deferred = |status: &Status| {
            status.reason_code.as_deref() == Some(reason) && status.counts.in_flight == 0
        };
        let status = self.becomes(id, deferred).await;
        assert_eq!(status.state, CampaignState::Deferred);
        status
    }

    pub(crate) async fn is_completed(&self, id: &str) -> Status {
        self.becomes(id, |status| status.state == CampaignState::Completed)
            .await
    }

    async fn becomes(&self, id: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let mut last = None;
        let so = poll(40, async || {
            let status = self.status(id).await;
            let so = is_so(&status);
            last = Some(status);
            so
        });
        let so = so.await;
        let last = last.unwrap();
        assert!(so, "{last:?}");
        last
    }

    /// Everybody who got a mail, and how many mails there were.
    pub(crate) fn reached(&self) -> (BTreeSet<String>, u64) {
        let mails = self.relay.mails();
        let to = mails.into_iter().flat_map(|mail| mail.to).collect();
        (to, self.relay.mail_count())
    }
}

/// Asks processes to end as an operator does, and expects them to end well.
pub(crate) async fn dismiss(workers: Vec<Child>) -> Vec<Ended> {
    for worker in &workers {
        signal(worker, "-TERM");
    }
    let mut all = Vec::new();
    for worker in workers {
        let ended = ended(worker).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        all.push(ended);
    }
    all
}

pub(crate) fn signal(child: &Child, signal: &str) {
    let pid = child.id().unwrap().to_string();
    let told = std::process::Command::new("kill")
        .args([signal, &pid])
        .status();
    assert!(told.unwrap().success());
}

/// Whether it became true within these seconds.
pub(crate) async fn poll(within: u64, mut is_true: impl AsyncFnMut() -> bool) -> bool {
    let limit = SystemClock.monotonic() + Duration::from_secs(within);
    loop {
        if is_true().await {
            return true;
        }
        if SystemClock.monotonic() > limit {
            return false;
        }
        SystemClock.sleep(LOOK_EVERY).await;
    }
}

/// Returns when the present window of this many seconds has at least `room` seconds left.
pub(crate) async fn with_room(window: i64, room: i64) {
    let left = || window - SystemClock.now().timestamp().rem_euclid(window);
    let limit = u64::try_from(room + 1).unwrap();
    assert!(poll(limit, async || left() >= room).await);
}
