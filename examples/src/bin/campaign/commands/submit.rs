//! Submitting: everything is checked first, so that bad input leaves no trace.

use std::convert::Infallible;

use futures_util::stream;
use mailer_core::composer::Composer as _;
use mailer_core::domain::{Campaign, CampaignId, Content, Fault};
use mailer_core::template::TemplateComposer;
use mailer_core::{Dedupe, Error, Mailer};

use crate::args::Options;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::input::{PolicyChange, Recipients, RecipientsError, Row, content};
use crate::output::{note, say};

/// Bad rows that are named; the rest is counted.
const NAMED: u64 = 20;

/// What is to be submitted, checked as far as it can be without a store.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) content: Content,
    pub(super) recipients: Recipients,
    pub(super) policy: PolicyChange,
    campaign: Campaign,
}

/// What was submitted.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) id: CampaignId,
    /// Rows that were not taken.
    pub(super) refused: u64,
    /// Whether all of it was there before.
    pub(super) repeated: bool,
}

pub(super) async fn submit(mailer: &Mailer, options: &Options) -> Result<Ending, Failure> {
    let loaded = Prepared::read(options)?
        .submit(mailer, options.strict)
        .await?;
    if loaded.repeated {
        note(
            "it was submitted before, with the same content and recipients: nothing is sent again",
        );
    }
    say(loaded.id)?;
    Ok(Ending::Done)
}

impl Prepared {
    pub(super) fn read(options: &Options) -> Result<Self, Failure> {
        let policy = PolicyChange::of(options)?;
        let content = content(options)?;
        let letter = content.check().map_err(invalid)?;
        let fields = TemplateComposer::new()
            .required_fields(&letter)
            .map_err(invalid)?;
        let recipients = Recipients::open(options.recipients.as_deref())?;
        recipients.have(&fields)?;
        Ok(Self {
            campaign: Campaign::new(options.id.as_str())
                .content(content.clone())
                .on_unknown(options.on_unknown),
            content,
            recipients,
            policy,
        })
    }

    pub(super) async fn submit(&self, mailer: &Mailer, strict: bool) -> Result<Loaded, Failure> {
        let refused = self.refuse_bad_rows(mailer, strict)?;
        self.policy.store(mailer).await?;
        let good = self
            .recipients
            .rows()
            .filter_map(|row| row.recipient.ok())
            .map(Ok::<_, Infallible>);
        let submitted = mailer
            .submit_stream(
                &self.campaign,
                stream::iter(good),
                Dedupe::default(),
                |_| {},
            )
            .await?;
        Ok(Loaded {
            id: submitted.id,
            refused,
            repeated: submitted.repeated,
        })
    }

    /// Names every bad row, and says how many there are.
    fn refuse_bad_rows(&self, mailer: &Mailer, strict: bool) -> Result<u64, Failure> {
        let mut refused = BadRows::default();
        let mut inspection = mailer.inspect(&self.campaign, Dedupe::default())?;
        for Row { line, recipient } in self.recipients.rows() {
            match recipient {
                Ok(recipient) => match inspection.look_at(recipient)? {
                    Ok(()) => {}
                    Err(faults) => refused.add(line, &faults),
                },
                Err(fault) => refused.add(line, &[fault]),
            }
        }
        let file = self.recipients.file().to_owned();
        let refused = refused.end(&file);
        if strict && refused > 0 {
            return Err(RecipientsError::Strict { file, refused }.into());
        }
        if refused == self.recipients.count() {
            return Err(RecipientsError::NoGoodRow { file, refused }.into());
        }
        Ok(refused)
    }
}

fn invalid(faults: Vec<Fault>) -> Failure {
    Error::invalid("submit", faults).into()
}

#[derive(Debug, Default)]
struct BadRows(u64);

impl BadRows {
    fn add(&mut self, line: u64, faults: &[Fault]) {
        self.0 += 1;
        if self.0 <= NAMED {
            for fault in faults {
                note(format_args!("line {line}: {fault}"));
            }
        }
    }

    fn end(self, file: &str) -> u64 {
        if self.0 > NAMED {
            note(format_args!(
                "and {} more bad rows in {file}",
                self.0 - NAMED
            ));
        }
        self.0
    }
}
