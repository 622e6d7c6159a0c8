//! Deliveries, one by one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mailer_core::Error;
use mailer_core::domain::{
    CampaignId, Deferral, Failure, MessageSpec, Reason, Record, ScopeKind, decode_page,
};
use mailer_core::queue::{Delivery, DeliveryQuery, Resolution, StreamId, TicketState};
use mailer_core::schedule::{DeliveryState, Mark};
use serde::Deserialize;

use crate::args::Args;
use crate::intake::no_campaign;
use crate::micros::Micros;
use crate::reply::Reply;
use crate::script::{OUTCOMES, RESOLVE, UNKNOWN};
use crate::store::RedisStore;

/// Which page.
enum Wanted<'a> {
    Page(u64),
    /// Of that with the mail of this key that mail alone.
    Key(&'a str),
}

impl RedisStore {
    pub(super) async fn page_of(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error> {
        let id = StreamId::from(&query.campaign);
        let page = self.read_page(&id, Wanted::Page(query.page)).await?;
        let page = page.ok_or_else(|| no_campaign("outcomes", &query.campaign))?;
        let shown = self.show("outcomes", std::slice::from_ref(&id)).await?;
        let stream = self.known("outcomes", &id, &shown).await?;
        let ending = stream.and_then(|stream| shown.view(&stream).ending(shown.now));
        Ok(page
            .into_iter()
            .map(|(record, mark)| mark.show(&record, ending))
            .collect())
    }

    pub(crate) async fn show_ticket(&self, id: &StreamId, key: &str) -> Result<TicketState, Error> {
        let unknown = || {
            Error::not_found(
                "ticket",
                format!("no mail with the key {key:?}, or its outcome has aged out"),
            )
        };
        let page = self
            .read_page(id, Wanted::Key(key))
            .await?
            .ok_or_else(unknown)?;
        let (record, mark) = page.into_iter().next().ok_or_else(unknown)?;
        let state = mark.state;
        let delivery = mark.show(&record, None);
        match state {
            DeliveryState::Started => return Ok(TicketState::InFlight),
            DeliveryState::Pending | DeliveryState::Retry => {}
            DeliveryState::Sent
            | DeliveryState::Failed
            | DeliveryState::Unknown
            | DeliveryState::Skipped
            | DeliveryState::Suppressed
            | DeliveryState::Expired
            | DeliveryState::Cancelled => return Ok(TicketState::Done(Box::new(delivery))),
        }
        let shown = self.show("ticket", std::slice::from_ref(id)).await?;
        let stream = self
            .known("ticket", id, &shown)
            .await?
            .ok_or_else(unknown)?;
        let view = shown.view(&stream);
        let wait = view.wait(shown.policy.as_deref(), shown.now);
        if state == DeliveryState::Pending {
            return Ok(TicketState::Waiting(wait));
        }
        let scope = view.binding.scope(ScopeKind::Campaign);
        let mut retry = Deferral::new(scope, Reason::RecipientRetry, shown.now);
        retry.lane = Some(view.binding.lane);
        retry.until = delivery.due;
        retry.detail = delivery.detail;
        Ok(TicketState::Waiting(Some(wait.unwrap_or(retry))))
    }

    /// Looks for the key among those of which nobody knows, page by page, and then decides in one step.
    pub(super) async fn resolve_unknown(
        &self,
        campaign: &CampaignId,
        key: &str,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        let id = StreamId::from(campaign);
        let mut first = 0;
        loop {
            let mut args = Args::new();
            args.text(id.as_str()).int(first).int(PAGES_AT_ONCE);
            let mut reply = self.caller().call("resolve", &UNKNOWN, &args).await?.reply;
            match reply.text()?.as_str() {
                "pages" => {}
                "missing" => return Err(no_campaign("resolve", campaign)),
                word => return Err(reply.unknown(word)),
            }
            let pages: u64 = reply.count()?;
            let mut found = reply.list()?;
            while !found.is_empty() {
                let number = found.count()?;
                let page = self.read_page(&id, Wanted::Page(number)).await?;
                let deliveries = page.unwrap_or_default();
                let index = deliveries.iter().position(|(record, mark)| {
                    record.key() == key && mark.state == DeliveryState::Unknown
                });
                if let Some(index) = index {
                    return self.decide_unknown(&id, number, index, resolution).await;
                }
            }
            first += PAGES_AT_ONCE;
            if first >= pages {
                return Ok(false);
            }
        }
    }

    async fn decide_unknown(
        &self,
        id: &StreamId,
        number: u64,
        index: usize,
        resolution: Resolution,
    ) -> Result<bool, Error> {
        let mut args = Args::new();
        args.text(id.as_str()).int(number).len(index);
        args.text(match resolution {
            Resolution::Sent => "send",
            Resolution::Resend => "resend",
        });
        let mut reply = self.caller().call("resolve", &RESOLVE, &args).await?.reply;
        Ok(reply.int()? == 1)
    }

    async fn read_page(
        &self,
        id: &StreamId,
        wanted: Wanted<'_>,
    ) -> Result<Option<Vec<(Record, Mark)>>, Error> {
        let mut args = Args::new();
        args.text(id.as_str());
        match wanted {
            Wanted::Page(number) => args.int(number).text(""),
            Wanted::Key(key) => args.text("").text(key),
        };
        let mut reply = self
            .caller()
            .call("outcomes", &OUTCOMES, &args)
            .await?
            .reply;
        match reply.text()?.as_str() {
            "page" => {}
            "missing" => return Ok(None),
            word => return Err(reply.unknown(word)),
        }
        let marks = reply.text()?;
        let body = reply.text()?;
        let mut mails = reply.list()?;
        let records = if body.is_empty() {
            let mut records = Vec::new();
            while !mails.is_empty() {
                let mail: MessageSpec = serde_json::from_str(&mails.text()?)
                    .map_err(|error| Error::incompatible("outcomes", error.to_string()))?;
                records.push(mail.to);
            }
            records
        } else {
            decode_page(&body).map_err(|fault| Error::incompatible("outcomes", fault))?
        };
        let mut rows = read_rows(reply.list()?)?;
        let deliveries = records
            .into_iter()
            .zip(marks.chars())
            .enumerate()
            .map(|(index, (record, mark))| {
                let row = rows.remove(&index).unwrap_or_default();
                Ok((record, row.mark(state(mark)?)))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Some(deliveries))
    }
}

const PAGES_AT_ONCE: u64 = 200;

/// What a delivery has to tell beyond its mark.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    attempts: u32,
    due: Option<String>,
    failure: Option<Failure>,
    claim: Option<String>,
    detail: String,
}

impl Row {
    fn mark(self, state: DeliveryState) -> Mark {
        let due = self.due.and_then(|due| due.parse().ok()).map(Micros::new);
        Mark {
            state,
            failure: self.failure,
            attempts: self.attempts,
            due: due.map(DateTime::<Utc>::from),
            in_doubt: self.claim.is_some(),
            detail: self.detail,
        }
    }
}

fn read_rows(mut reply: Reply) -> Result<HashMap<usize, Row>, Error> {
    let mut rows = HashMap::new();
    while !reply.is_empty() {
        let index = usize::from(reply.count::<u16>()?);
        let row = serde_json::from_str(&reply.text()?)
            .map_err(|error| Error::incompatible("outcomes", format!("a row: {error}")))?;
        rows.insert(index, row);
    }
    Ok(rows)
}

/// The state that a mark stands for, in hand or not.
fn state(mark: char) -> Result<DeliveryState, Error> {
    match mark {
        'p' | 'P' => Ok(DeliveryState::Pending),
        'r' | 'R' => Ok(DeliveryState::Retry),
        'B' => Ok(DeliveryState::Started),
        's' => Ok(DeliveryState::Sent),
        'f' => Ok(DeliveryState::Failed),
        'u' => Ok(DeliveryState::Unknown),
        'k' => Ok(DeliveryState::Skipped),
        'x' => Ok(DeliveryState::Suppressed),
        'e' => Ok(DeliveryState::Expired),
        other => Err(Error::incompatible(
            "outcomes",
            format!("{other:?} is no state of a delivery"),
        )),
    }
}
