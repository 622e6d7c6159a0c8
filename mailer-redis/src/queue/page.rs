//! A page as a claim finds it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;
use mailer_core::Error;
use mailer_core::domain::{MessageSpec, Record, decode_page};
use mailer_core::queue::{ClaimedDelivery, StreamId};

use crate::micros::Micros;
use crate::reply::Reply;
use crate::streams::Known;

/// What `claim.lua` says of a page that it leased.
#[derive(Debug)]
pub(super) struct Leased {
    pub(super) stream: StreamId,
    pub(super) number: u64,
    pub(super) token: u64,
    body: String,
    indexes: Vec<u8>,
    rows: HashMap<u16, Row>,
    mails: Vec<String>,
}

impl Leased {
    pub(super) fn read(reply: &mut Reply) -> Result<Self, Error> {
        Ok(Self {
            stream: StreamId::from(reply.text()?),
            number: reply.count()?,
            token: reply.count()?,
            body: reply.text()?,
            indexes: reply.bytes()?,
            rows: read_rows(&mut reply.list()?)?,
            mails: reply.list()?.texts()?,
        })
    }

    pub(super) fn indexes(&self) -> impl Iterator<Item = u16> + '_ {
        self.indexes.iter().copied().map(u16::from)
    }

    pub(super) fn deliveries(&self, known: &Known) -> Result<Vec<ClaimedDelivery>, Error> {
        let wrong = |what: String| {
            Error::incompatible("claim", format!("a page of {}: {what}", self.stream))
        };
        let mut records: Vec<Option<Record>> = match self.body.as_str() {
            "" => Vec::new(),
            body => decode_page(body)
                .map_err(wrong)?
                .into_iter()
                .map(Some)
                .collect(),
        };
        let mut mails = self.mails.iter();
        let mut deliveries = Vec::with_capacity(self.indexes.len());
        for index in self.indexes() {
            let (record, letter, on_unknown) = match &known.campaign {
                Some((spec, letter)) => {
                    let record = records.get_mut(usize::from(index)).and_then(Option::take);
                    (record, Arc::clone(letter), spec.on_unknown)
                }
                None => {
                    let mail = mails.next().map_or("", String::as_str);
                    let mail: MessageSpec =
                        serde_json::from_str(mail).map_err(|error| wrong(error.to_string()))?;
                    (Some(mail.to), Arc::new(mail.letter), mail.on_unknown)
                }
            };
            let record = record.ok_or_else(|| wrong(format!("it lacks number {index}")))?;
            let (attempts, repeats) = self.rows.get(&index).copied().unwrap_or_default();
            deliveries.push(ClaimedDelivery {
                index,
                record,
                letter,
                attempt: attempts + 1,
                repeats: repeats.map(DateTime::from),
                on_unknown,
            });
        }
        Ok(deliveries)
    }
}

/// The attempts of a delivery, and the begin of one that is in doubt.
type Row = (u32, Option<Micros>);

fn read_rows(rows: &mut Reply) -> Result<HashMap<u16, Row>, Error> {
    let mut found = HashMap::new();
    while !rows.is_empty() {
        found.insert(rows.count()?, (rows.count()?, rows.at_or_none()?));
    }
    Ok(found)
}
