//! What a template must be, and which merge fields it needs.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::ErrorKind;
use minijinja::value::Value;

use super::Template;
use super::compiled::{Compiled, Part, told};
use super::scan::{Named, names};
use crate::domain::Fault;
use crate::domain::fault::{ONE_LINE, is_one_line};

/// Compiles a template, and says which merge fields every recipient must have.
pub(super) fn check(template: &Template) -> Result<BTreeSet<String>, Vec<Fault>> {
    let mut faults = form(template);
    let compiled = Compiled::new(template, |part, error| {
        faults.push(fault(part, error.line(), told(part.shown, error)));
    });
    if faults.is_empty() {
        template.each_part(|part| faults.extend(unknown_names(&compiled, part)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let needs = Needs::of(template, &compiled);
    template.each_part(|part| {
        // With every field there, only what no recipient can have is missing: a part of a text.
        let rendered = compiled.render(part.name, &needs.trial(None));
        if let Some(error) = undefined(rendered.as_ref()) {
            faults.push(fault(part, error.line(), told(part.shown, error)));
        }
        if part.is_header() && rendered.is_ok_and(|value| !is_one_line(&value)) {
            faults.push(Fault::new(part.shown, part.source, ONE_LINE));
        }
    });
    if faults.is_empty() {
        Ok(needs.required(template, &compiled))
    } else {
        Err(faults)
    }
}

/// The variables of a template, and which of them it marks as perhaps missing.
struct Needs {
    variables: BTreeSet<String>,
    guarded: BTreeSet<String>,
}

impl Needs {
    fn of(template: &Template, compiled: &Compiled) -> Self {
        let mut needs = Self {
            variables: BTreeSet::new(),
            guarded: BTreeSet::new(),
        };
        template.each_part(|part| {
            needs.variables.extend(compiled.variables(part.name));
            needs
                .guarded
                .extend(
                    names(part.source)
                        .into_iter()
                        .filter_map(|(_, named)| match named {
                            Named::Guarded(name) => Some(name.to_owned()),
                            Named::Filter(_) | Named::Test(_) => None,
                        }),
                );
        });
        needs.variables.remove("email");
        needs
    }

    /// Those without which no mail can be made: all, but for marked ones whose lack a trial survives.
    fn required(self, template: &Template, compiled: &Compiled) -> BTreeSet<String> {
        let can_lack = |name: &String| {
            let mut can_lack = self.guarded.contains(name);
            let fields = self.trial(Some(name));
            template.each_part(|part| {
                let rendered = compiled.render(part.name, &fields);
                can_lack = can_lack && undefined(rendered.as_ref()).is_none();
            });
            can_lack
        };
        self.variables
            .iter()
            .filter(|name| !can_lack(name))
            .cloned()
            .collect()
    }

    /// A recipient with every field but one.
    fn trial(&self, without: Option<&String>) -> Value {
        let fields: BTreeMap<&str, &str> = self
            .variables
            .iter()
            .filter(|name| Some(*name) != without)
            .map(|name| (name.as_str(), "1"))
            .chain([("email", "someone@example.com")])
            .collect();
        Value::from_pairs(fields)
    }
}

fn undefined<'a>(rendered: Result<&String, &'a minijinja::Error>) -> Option<&'a minijinja::Error> {
    rendered
        .err()
        .filter(|error| error.kind() == ErrorKind::UndefinedError)
}

fn form(template: &Template) -> Vec<Fault> {
    let mut faults = Vec::new();
    if template.subject.trim().is_empty() {
        faults.push(Fault::new(
            "subject",
            &template.subject,
            "a mail needs a subject",
        ));
    }
    if template.text.is_none() && template.html.is_none() {
        faults.push(Fault::new(
            "text",
            "",
            "a mail needs a text, an HTML form, or both",
        ));
    }
    let names = template.headers.iter().map(|(name, _)| name);
    faults.extend(
        names.filter_map(|name| header_rule(name).map(|rule| Fault::new("header", name, rule))),
    );
    faults
}

fn header_rule(name: &str) -> Option<&'static str> {
    let reserved = |name: &str| {
        RESERVED.iter().any(|own| own.eq_ignore_ascii_case(name))
            || name
                .get(..8)
                .is_some_and(|start| start.eq_ignore_ascii_case("content-"))
    };
    if name.is_empty()
        || name.len() > 76
        || !name.bytes().all(|byte| matches!(byte, 33..=57 | 59..=126))
    {
        Some("a header's name is 1 to 76 visible characters without a colon (RFC 5322, 2.2)")
    } else if reserved(name) {
        Some("this header is made by the mailer itself")
    } else {
        None
    }
}

fn unknown_names(compiled: &Compiled, part: Part<'_>) -> Vec<Fault> {
    names(part.source)
        .into_iter()
        .filter_map(|(line, named)| {
            let rule = match named {
                Named::Filter(name) if !compiled.knows_filter(name) => {
                    format!("unknown filter: {name}")
                }
                Named::Test(name) if !compiled.knows_test(name) => format!("unknown test: {name}"),
                Named::Filter(_) | Named::Test(_) | Named::Guarded(_) => return None,
            };
            let rule = format!("{}, line {line}: {rule}", part.shown);
            Some(fault(part, Some(line), rule))
        })
        .collect()
}

/// Shows the line in question, not the whole part.
fn fault(part: Part<'_>, line: Option<usize>, rule: String) -> Fault {
    let line = line.and_then(|line| part.source.lines().nth(line.saturating_sub(1)));
    let shown: String = line.unwrap_or_default().trim().chars().take(80).collect();
    Fault::new("template", shown, rule)
}

const RESERVED: &[&str] = &[
    "From",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Reply-To",
    "Sender",
    "Return-Path",
];
