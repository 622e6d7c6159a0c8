//! A template made ready to run.

use std::sync::Arc;

use minijinja::value::{Object, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::Template;
use crate::composer::Composed;
use crate::domain::fault::{ONE_LINE, is_one_line};
use crate::domain::{Body, Draft, Record};

/// The parts of a template, compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    environment: Environment<'static>,
    has_text: bool,
    has_html: bool,
    /// The names of the further headers; their templates are parts named by number.
    headers: Vec<String>,
    /// Rendered once, where nothing in it depends on the recipient.
    fixed: Option<Arc<Body>>,
}

/// One part of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// The name it is compiled under.
    pub(super) name: &'a str,
    /// The name it is shown under.
    pub(super) shown: &'a str,
    pub(super) source: &'a str,
}

impl Part<'_> {
    /// Whether it becomes a header, which is one line.
    pub(super) fn is_header(&self) -> bool {
        ![TEXT, HTML].contains(&self.name)
    }
}

impl Compiled {
    /// Compiles what can be compiled; the rest is reported.
    pub(super) fn new(
        template: &Template,
        mut report: impl FnMut(Part<'_>, &minijinja::Error),
    ) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name {
            HTML => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        environment.add_filter("urlencode", urlencode);
        template.each_part(|part| {
            let added =
                environment.add_template_owned(part.name.to_owned(), part.source.to_owned());
            if let Err(error) = added {
                report(part, &error);
            }
        });
        let mut compiled = Self {
            environment,
            has_text: template.text.is_some(),
            has_html: template.html.is_some(),
            headers: template
                .headers
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            fixed: None,
        };
        if [TEXT, HTML]
            .iter()
            .all(|part| compiled.variables(part).is_empty())
        {
            compiled.fixed = compiled.body(&Value::UNDEFINED).ok().map(Arc::new);
        }
        compiled
    }

    /// The mail of one recipient.
    pub(super) fn compose(&self, record: &Record) -> Composed {
        let fields = Value::from_object(Fields(record.clone()));
        self.draft(&fields)
            .map_or_else(Composed::Failed, Composed::Mail)
    }

    /// The variables that a part takes from outside.
    pub(super) fn variables(&self, part: &str) -> Vec<String> {
        let Ok(template) = self.environment.get_template(part) else {
            return Vec::new();
        };
        let is_global =
            |name: &String| self.environment.globals().any(|(global, _)| global == name);
        template
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| !is_global(name))
            .collect()
    }

    pub(super) fn render(&self, part: &str, fields: &Value) -> Result<String, minijinja::Error> {
        self.environment.get_template(part)?.render(fields.clone())
    }

    pub(super) fn knows_filter(&self, name: &str) -> bool {
        let called = self.environment.empty_state().apply_filter(name, &[]);
        !called.is_err_and(|error| error.kind() == minijinja::ErrorKind::UnknownFilter)
    }

    pub(super) fn knows_test(&self, name: &str) -> bool {
        let called = self.environment.empty_state().perform_test(name, &[]);
        !called.is_err_and(|error| error.kind() == minijinja::ErrorKind::UnknownTest)
    }

    fn draft(&self, fields: &Value) -> Result<Draft, String> {
        let subject = self.one_line(SUBJECT, SUBJECT, fields)?;
        let headers = self
            .headers
            .iter()
            .enumerate()
            .map(|(number, name)| {
                let value = self.one_line(&header(number), name, fields)?;
                Ok((name.clone(), value))
            })
            .collect::<Result<_, String>>()?;
        let body = match &self.fixed {
            Some(body) => Arc::clone(body),
            None => Arc::new(self.body(fields)?),
        };
        Ok(Draft {
            subject,
            headers,
            body,
        })
    }

    fn body(&self, fields: &Value) -> Result<Body, String> {
        let form = |part: &str, is_there: bool| {
            is_there
                .then(|| {
                    self.render(part, fields)
                        .map_err(|error| told(part, &error))
                })
                .transpose()
        };
        Ok(Body {
            text: form(TEXT, self.has_text)?,
            html: form(HTML, self.has_html)?,
        })
    }

    fn one_line(&self, part: &str, shown: &str, fields: &Value) -> Result<String, String> {
        let value = self
            .render(part, fields)
            .map_err(|error| told(shown, &error))?;
        if is_one_line(&value) {
            Ok(value)
        } else {
            Err(format!("{shown}: {ONE_LINE}"))
        }
    }
}

impl Template {
    pub(super) fn each_part(&self, mut visit: impl FnMut(Part<'_>)) {
        let mut part = |name: &str, shown: &str, source: &str| {
            visit(Part {
                name,
                shown,
                source,
            });
        };
        part(SUBJECT, SUBJECT, &self.subject);
        if let Some(text) = &self.text {
            part(TEXT, TEXT, text);
        }
        if let Some(html) = &self.html {
            part(HTML, HTML, html);
        }
        for (number, (name, template)) in self.headers.iter().enumerate() {
            part(&header(number), &format!("header {name}"), template);
        }
    }
}

/// What went wrong in a part, and where.
pub(super) fn told(part: &str, error: &minijinja::Error) -> String {
    let line = error
        .line()
        .map_or(String::new(), |line| format!(", line {line}"));
    let detail = error
        .detail()
        .map_or(String::new(), |detail| format!(": {detail}"));
    format!("{part}{line}: {}{detail}", error.kind())
}

/// What a recipient offers to a template.
#[derive(Debug)]
struct Fields(Record);

impl Object for Fields {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.field(key).map(Value::from)
    }
}

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986, 2.3).
fn urlencode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15]
                    .into_iter()
                    .filter_map(|half| char::from_digit(u32::from(half), 16))
                    .map(|digit| digit.to_ascii_uppercase()),
            );
        }
    }
    encoded
}

fn header(number: usize) -> String {
    format!("header {number}")
}

const SUBJECT: &str = "subject";
const TEXT: &str = "text";
const HTML: &str = "html";
