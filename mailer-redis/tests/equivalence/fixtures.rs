//! The campaigns, mails, rooms, deferrals and policies that commands name by number.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mailer_core::calendar::WorkCalendar;
use mailer_core::domain::{
    Campaign, CampaignSpec, Content, Lane, Lanes, Limit, Message, MessageSpec, OnUnknown, Policy,
    Reason, Recipient, Record, Scope,
};
use mailer_core::queue::{Defer, Room, StreamId, Wait};
use mailer_core::schedule::term::FEW_TOKENS;
use mailer_core::template::Template;

pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

pub(crate) fn campaign(number: usize) -> CampaignSpec {
    let campaign = Campaign::new(format!("c{number}"))
        .from(["Shop <News@shop.example>", "info@shop.example"][number % 2])
        .relay(["default", "other"][number / 3])
        .template(Template::new("s").text("t"))
        .on_unknown([OnUnknown::AssumeSent, OnUnknown::Resend, OnUnknown::Hold][number % 3]);
    let campaign = match number {
        1 => campaign
            .weight(3)
            .limit("3/minute per campaign".parse().unwrap()),
        2 => campaign
            .hours(WorkCalendar::parse("Mon-Fri 09:05-09:40,Mon-Fri 11:00-12:00", "UTC").unwrap()),
        3 => campaign
            .starts_at(start() + TimeDelta::minutes(3))
            .expires_at(start() + TimeDelta::hours(3)),
        4 => campaign.composer("other", serde_json::json!({})),
        _ => campaign,
    };
    campaign.check().unwrap()
}

pub(crate) fn records(n: usize) -> Vec<Record> {
    (0..n)
        .map(|i| Recipient::new(format!("r{i}@example.com")).check().unwrap())
        .collect()
}

pub(crate) fn mail(lane: Lane, key: u8, expires: bool) -> MessageSpec {
    let content = Content::new()
        .from("Shop <news@shop.example>")
        .template(Template::new("s").text("t"));
    let mut message = Message::new(
        format!("k{key}"),
        content,
        Recipient::new("ann@example.com"),
    )
    .lane(lane)
    .on_unknown([OnUnknown::AssumeSent, OnUnknown::Resend][usize::from(key % 2)]);
    if expires {
        message = message.expires_at(start() + TimeDelta::minutes(2));
    }
    message.check().unwrap()
}

pub(crate) fn room(number: usize) -> Room {
    let relays: &[(&str, Lanes)] = match number {
        0 | 1 => &[("default", Lanes::ALL), ("other", Lanes::ALL)],
        2 => &[("default", Lanes::BULK)],
        3 => &[("other", Lanes::ALL)],
        _ => &[("default", Lanes::ALL)],
    };
    let mut composers = vec![Template::COMPOSER.to_owned()];
    composers.extend((number == 0).then(|| "other".to_owned()));
    let except = match number {
        1 => vec![
            StreamId::from("c0".to_owned()),
            StreamId::from("c2".to_owned()),
        ],
        _ => Vec::new(),
    };
    Room {
        relays: relays
            .iter()
            .map(|(name, lanes)| (name.parse().unwrap(), *lanes))
            .collect(),
        composers,
        except,
    }
}

pub(crate) fn scope(number: usize) -> Scope {
    match number {
        0 => Scope::Namespace,
        1 => Scope::Relay("default".parse().unwrap()),
        2 => Scope::sender("news@shop.example"),
        3 => Scope::Campaign("c0".to_owned()),
        4 => Scope::Stream("c2".to_owned()),
        _ => Scope::Campaign("~test:default:news@shop.example".to_owned()),
    }
}

pub(crate) fn defer(number: usize, now: DateTime<Utc>, version: u64) -> Defer {
    Defer {
        scope: scope(number % 6),
        lane: [None, Some(Lane::Bulk), Some(Lane::Test)][number % 3],
        reason: [
            Reason::TransientError,
            Reason::RatePerHour,
            Reason::RelayLimited,
            Reason::OutsideHours,
        ][number % 4]
            .clone(),
        wait: [
            Wait::For(Duration::from_secs(40)),
            Wait::Until(now + TimeDelta::minutes(7)),
            Wait::AfterTrouble,
            Wait::Open,
            Wait::For(Duration::from_millis(100)),
        ][number % 5],
        detail: (number % 2 == 1).then(|| format!("words \"{number}\"")),
        unless_sent_since: (number % 6 == 1).then(|| now - TimeDelta::seconds(5)),
        policy_version: (number % 4 == 3).then_some(version),
    }
}

pub(crate) fn policy(number: usize, cap: u32) -> Policy {
    let policy = Policy::new();
    let limits: Vec<String> = match number {
        0 => vec![format!("{cap}/hour")],
        1 => vec![
            format!("{cap}/minute"),
            format!("{}/day@Europe/Moscow", 20 + cap),
        ],
        2 => vec![
            format!("{}/60m rolling per sender", cap + 1),
            format!("{cap}/hour lanes bulk"),
        ],
        3 => vec![
            format!("{}/s pace per relay", cap + 1),
            format!("{}/minute", 3 * cap),
        ],
        // About where a gate begins to tell how many are left.
        4 => vec![format!("{}/day", FEW_TOKENS - 2 + cap)],
        _ => vec![],
    };
    let limits = limits.iter().map(|text| text.parse::<Limit>().unwrap());
    let policy = policy.with_limits(limits.collect::<Vec<_>>());
    match number {
        1 => policy.reserved(20).unwrap(),
        2 => policy
            .hours("Mon-Fri 09:10-09:50,Mon-Fri 11:00-18:00", "UTC")
            .unwrap(),
        5 => policy
            .retry(&[Duration::from_secs(30)])
            .transient_delay(Duration::from_secs(77)),
        _ => policy,
    }
}

pub(crate) fn limits() -> Vec<(Limit, Scope)> {
    let relay = Scope::Relay("default".parse().unwrap());
    [
        ("9/hour", Scope::Namespace),
        ("9/minute", Scope::Namespace),
        ("9/day@Europe/Moscow", Scope::Namespace),
        (
            "9/60m rolling per sender",
            Scope::sender("news@shop.example"),
        ),
        ("9/hour lanes bulk", Scope::Namespace),
        ("9/s pace per relay", relay),
        ("9/minute per campaign", Scope::Campaign("c1".to_owned())),
    ]
    .into_iter()
    .map(|(text, scope)| (text.parse().unwrap(), scope))
    .collect()
}
