//! Taking in campaigns page by page, and single mails.

use async_trait::async_trait;
use mailer_core::Error;
use mailer_core::domain::{
    CampaignId, CampaignSpec, Digest, Lane, MessageSpec, OnUnknown, PAGE_SIZE, Record, Scope,
    encode_page,
};
use mailer_core::queue::{Created, Intake, Load, Loading, StreamId, TicketState};

use crate::args::{Args, json};
use crate::micros::Micros;
use crate::reply::Reply;
use crate::script::{APPEND, CREATE, ENQUEUE, SEAL};
use crate::store::RedisStore;
use crate::tombstone;

#[async_trait]
impl Intake for RedisStore {
    async fn create(&self, spec: &CampaignSpec, loader: u64) -> Result<Created, Error> {
        let digest = spec.digest();
        let json = json("submit", spec)?;
        let mut args = Args::new();
        args.text(spec.id.as_str())
            .int(loader)
            .text(digest.to_string())
            .text(json)
            .text(Lane::Bulk.as_str())
            .text(spec.relay.as_str())
            .text(sender(spec.letter.from.address().as_str()))
            .text(&spec.letter.composer)
            .int(spec.weight)
            .at_or_none(spec.starts_at.map(Micros::from))
            .at_or_none(spec.expires_at.map(Micros::from))
            .text(rule(spec.on_unknown))
            .text(spec.hours.as_ref().map_or("", |_| "1"));
        let mut reply = self.caller().call("submit", &CREATE, &args).await?.reply;
        let conflict = |detail: &str| {
            Error::conflict(
                "submit",
                format!("campaign {:?} {detail}", spec.id.as_str()),
            )
        };
        match reply.text()?.as_str() {
            "purged" => tombstone::decode(&reply.text()?).map(Created::Purged),
            "sealed" => Ok(Created::Sealed {
                digest: read_digest(&mut reply)?,
                total: reply.count()?,
            }),
            "other" => Err(conflict(
                "exists already with other content: choose another id",
            )),
            "busy" => Err(conflict("is being loaded by another process")),
            "loading" => Ok(Created::Loading(Loading {
                load: Load {
                    campaign: spec.id.clone(),
                    loader,
                    pages: reply.count()?,
                    digest: read_digest(&mut reply)?,
                },
                resume_after: Some(reply.text()?).filter(|key| !key.is_empty()),
            })),
            word => Err(reply.unknown(word)),
        }
    }

    async fn append(&self, load: &Load, page: &[Record]) -> Result<Load, Error> {
        if page.is_empty() || page.len() > PAGE_SIZE {
            return Err(Error::conflict(
                "append",
                format!("a page has 1 to {PAGE_SIZE} recipients"),
            ));
        }
        let body = encode_page(page);
        let digest = load.digest.then(body.as_bytes());
        let mut args = Args::new();
        args.text(load.campaign.as_str())
            .int(load.loader)
            .int(load.pages)
            .text(load.digest.to_string())
            .text(digest.to_string())
            .text(page.last().map_or("", |record| record.key()))
            .len(page.len())
            .text(body);
        let reply = self.caller().call("append", &APPEND, &args).await?.reply;
        loaded("append", load, reply)?;
        Ok(Load {
            pages: load.pages + 1,
            digest,
            ..load.clone()
        })
    }

    async fn seal(&self, load: &Load) -> Result<(), Error> {
        let mut args = Args::new();
        args.text(load.campaign.as_str())
            .int(load.loader)
            .int(load.pages)
            .text(load.digest.to_string());
        let reply = self.caller().call("seal", &SEAL, &args).await?.reply;
        loaded("seal", load, reply)
    }

    async fn enqueue(&self, message: &MessageSpec) -> Result<(), Error> {
        let json = json("enqueue", message)?;
        let mut args = Args::new();
        args.text(StreamId::standing(message).as_str())
            .text(message.lane.as_str())
            .text(message.relay.as_str())
            .text(sender(message.letter.from.address().as_str()))
            .text(&message.key)
            .text(json)
            .at_or_none(message.expires_at.map(Micros::from))
            .text(rule(message.on_unknown));
        self.caller().call("enqueue", &ENQUEUE, &args).await?;
        Ok(())
    }

    async fn ticket(&self, stream: &StreamId, key: &str) -> Result<TicketState, Error> {
        self.show_ticket(stream, key).await
    }
}

/// A sender as its scope names it.
fn sender(address: &str) -> String {
    match Scope::sender(address) {
        Scope::Sender(name) => name,
        other => other.to_string(),
    }
}

/// Only what is sent again makes a difference to a script.
pub(crate) fn rule(rule: OnUnknown) -> &'static str {
    match rule {
        OnUnknown::Resend => "resend",
        OnUnknown::AssumeSent | OnUnknown::Hold => "",
    }
}

fn read_digest(reply: &mut Reply) -> Result<Digest, Error> {
    let text = reply.text()?;
    Digest::from_hex(&text)
        .ok_or_else(|| Error::incompatible("submit", format!("{text:?} is no digest")))
}

/// What `load.lua` found.
fn loaded(op: &'static str, load: &Load, mut reply: Reply) -> Result<(), Error> {
    match reply.text()?.as_str() {
        "done" => Ok(()),
        "missing" => Err(no_campaign(op, &load.campaign)),
        "taken_over" => Err(Error::conflict(
            op,
            "another process has taken over loading",
        )),
        "sealed" => Err(Error::conflict(op, "the campaign is loaded already")),
        "other" => Err(Error::conflict(
            op,
            format!(
                "the page does not follow: {} pages are stored, and page {} of another source was given",
                reply.int()?,
                load.pages
            ),
        )),
        word => Err(reply.unknown(word)),
    }
}

pub(crate) fn no_campaign(op: &'static str, id: &CampaignId) -> Error {
    Error::not_found(op, format!("there is no campaign {:?}", id.as_str()))
}
