//! The composer of templates.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::compiled::{Compiled, told};
use super::{Template, check};
use crate::composer::{ComposeError, Composed, Composer};
use crate::domain::{Fault, Letter, Record};

/// Makes mails of a [`Template`]. Every worker has it, under the name `template`.
///
/// ```
/// use mailer_core::composer::{Composed, Composer};
/// use mailer_core::domain::{Content, Recipient};
/// use mailer_core::template::{Template, TemplateComposer};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let template = Template::new("Hello {{ name }}").text("Dear {{ name }}, ...");
/// let letter = Content::new().from("shop@shop.example").template(template).check().unwrap();
/// let ann = Recipient::new("ann@example.com").name("Ann").check().unwrap();
///
/// let composer = TemplateComposer::new();
/// assert!(composer.required_fields(&letter).unwrap().contains("name"));
/// let made = composer.compose(&letter, &[&ann]).await.unwrap();
/// let Composed::Mail(draft) = &made[0] else { panic!("{made:?}") };
/// assert_eq!(draft.subject, "Hello Ann");
/// # });
/// ```
#[derive(Default)]
pub struct TemplateComposer {
    /// The letters of late, last used first.
    compiled: Mutex<VecDeque<(Value, Arc<Compiled>)>>,
}

impl TemplateComposer {
    /// A composer that has compiled nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn compiled(&self, letter: &Letter) -> Result<Arc<Compiled>, ComposeError> {
        let mut known = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known
            .iter()
            .position(|(params, _)| *params == letter.params)
        {
            known.swap(0, place);
            if let Some((_, compiled)) = known.front() {
                return Ok(Arc::clone(compiled));
            }
        }
        let template = parse(&letter.params).map_err(|fault| halt(&fault))?;
        let mut first = None;
        let compiled = Arc::new(Compiled::new(&template, |part, error| {
            first.get_or_insert_with(|| told(part.shown, error));
        }));
        if let Some(first) = first {
            return Err(ComposeError::Halt(first));
        }
        known.push_front((letter.params.clone(), Arc::clone(&compiled)));
        known.truncate(KEPT);
        Ok(compiled)
    }
}

#[async_trait]
impl Composer for TemplateComposer {
    fn name(&self) -> &str {
        Template::COMPOSER
    }

    fn required_fields(&self, letter: &Letter) -> Result<BTreeSet<String>, Vec<Fault>> {
        let template = parse(&letter.params).map_err(|fault| vec![fault])?;
        check::check(&template)
    }

    async fn compose(
        &self,
        letter: &Letter,
        records: &[&Record],
    ) -> Result<Vec<Composed>, ComposeError> {
        let compiled = self.compiled(letter)?;
        Ok(records
            .iter()
            .map(|record| compiled.compose(record))
            .collect())
    }
}

impl fmt::Debug for TemplateComposer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateComposer").finish_non_exhaustive()
    }
}

fn parse(params: &Value) -> Result<Template, Fault> {
    serde::Deserialize::deserialize(params)
        .map_err(|error: serde_json::Error| Fault::new("template", "", error.to_string()))
}

fn halt(fault: &Fault) -> ComposeError {
    ComposeError::Halt(fault.to_string())
}

/// How many compiled letters are kept: campaigns at work at a time, and a few single mails.
const KEPT: usize = 64;
