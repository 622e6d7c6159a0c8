//! Campaigns through the real engine under virtual time.
#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod acceptance;
mod steering;
mod transports;
mod trouble;
mod waiting;

use std::time::Duration;

use chrono::{DateTime, Utc};
use mailer_core::domain::{Campaign, Content, Policy, Recipient};
use mailer_core::sim::Sim;
use mailer_core::template::Template;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn simulation() -> Sim {
    Sim::at(at("2026-11-24T09:30:00Z"))
}

fn campaign(id: &str) -> Campaign {
    Campaign::new(id)
        .from("Shop <news@shop.example>")
        .template(Template::new("Hello {{ name }}").text("Dear {{ name }}, spring is here."))
}

fn recipients(count: usize) -> impl Iterator<Item = Recipient> + Clone {
    (0..count)
        .map(|i| Recipient::new(format!("user{i}@example.com")).field("name", format!("User {i}")))
}

fn content() -> Content {
    Content::new()
        .from("Shop <news@shop.example>")
        .template(Template::new("Test").text("Does it work?"))
}

fn limited(spec: &str) -> Policy {
    Policy::new().limit(spec).unwrap()
}
