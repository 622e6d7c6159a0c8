//! The servers of a run, and the campaigns that are submitted to it.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::Mailer;
use mailer_core::domain::{Campaign, CampaignId, OnUnknown, Policy, Recipient, Status};
use mailer_core::template::Template;
use mailer_redis::{Durability, RedisConfig, RedisStore};
use testkit::{FaultProxy, Fsync, RedisServer, SmtpServer};

use crate::Fallible;
use crate::args::{Args, Orders, Trouble};
use crate::clock::{FastClock, micros_now};

pub(crate) const NAMESPACE: &str = "chaos";

#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) redis: RedisServer,
    /// Between the workers and Redis.
    pub(crate) network: FaultProxy,
    pub(crate) relay: SmtpServer,
    pub(crate) mailer: Mailer,
    pub(crate) campaigns: Vec<CampaignId>,
    pub(crate) orders: Orders,
}

impl Scene {
    pub(crate) async fn set(
        args: &Args,
        trouble: Trouble,
        rule: OnUnknown,
        seed: u64,
    ) -> Fallible<Self> {
        let redis = match trouble {
            Trouble::Restarts => RedisServer::builder().append_only(Fsync::Always),
            Trouble::Kills | Trouble::Outages | Trouble::Freezes => RedisServer::builder(),
        };
        let redis = redis.start().await?;
        let network = FaultProxy::start_seeded(redis.addr(), seed).await?;
        let relay = SmtpServer::builder()
            .latency(Duration::from_millis(args.latency))
            .start()
            .await?;
        let origin = micros_now();
        let config = config(&redis.url(), origin, args.speed);
        let mailer = Mailer::open(RedisStore::open(&config).await?).await?;
        let policy = match args.per_minute {
            Some(cap) => Policy::new().limit(&format!("{cap}/minute"))?,
            None => Policy::unlimited(),
        };
        mailer.init_policy(&policy).await?;
        let orders = Orders {
            redis: match trouble {
                Trouble::Outages => format!("redis://{}/", network.addr()),
                Trouble::Kills | Trouble::Restarts | Trouble::Freezes => redis.url(),
            },
            smtp: relay.url(),
            connections: args.connections,
            speed: args.speed,
            origin,
        };
        let mut scene = Self {
            redis,
            network,
            relay,
            mailer,
            campaigns: Vec::new(),
            orders,
        };
        for number in 0..args.campaigns {
            scene
                .submit(number, args.recipients / args.campaigns, rule)
                .await?;
        }
        Ok(scene)
    }

    /// The sender is named like the campaign, so that the relay's record tells one from the other.
    async fn submit(&mut self, number: usize, recipients: usize, rule: OnUnknown) -> Fallible<()> {
        let campaign = Campaign::new(format!("campaign-{number}"))
            .from(format!("campaign-{number}@shop.example"))
            .template(Template::new("Hello").text("Hello {{ email }}"))
            .on_unknown(rule);
        let recipients = (0..recipients).map(|i| Recipient::new(format!("user{i}@example.com")));
        let submitted = self.mailer.submit(&campaign, recipients).await?;
        self.campaigns.push(submitted.id);
        Ok(())
    }

    pub(crate) async fn statuses(&self) -> Fallible<Vec<Status>> {
        let mut all = Vec::new();
        for id in &self.campaigns {
            all.push(self.mailer.status(id).await?);
        }
        Ok(all)
    }
}

pub(crate) fn config(url: &str, origin: i64, speed: u32) -> RedisConfig {
    let config = RedisConfig::new(url, NAMESPACE).durability(Durability::Unchecked);
    match speed {
        1 => config,
        speed => config.clock(Arc::new(FastClock::new(origin, speed))),
    }
}
