//! The diagrams in ARCHITECTURE.md are what the code does.

use std::collections::{BTreeMap, BTreeSet};

use super::campaign::{self, Facts};
use super::{DeliveryEvent, DeliveryState};
use crate::domain::{CampaignState, Counts, Deferral, HaltCause};
use crate::queue::Hold;

#[test]
fn the_diagram_of_a_delivery_is_what_the_code_does() {
    let mut arrows = Arrows::new();
    for state in DeliveryState::ALL {
        for event in DeliveryEvent::ALL {
            if let Ok(next) = state.on(event) {
                let events = arrows.entry((state.as_str(), next.as_str())).or_default();
                events.insert(event.as_str());
            }
        }
    }
    assert_shown("States of a delivery", "pending", &arrows);
}

#[test]
fn the_diagram_of_a_campaign_is_what_the_code_does() {
    let mut arrows = Arrows::new();
    let mut reached: Vec<Campaign> = [true, false].map(Campaign::loading).to_vec();
    let mut place = 0;
    while let Some(campaign) = reached.get(place).copied() {
        place += 1;
        for event in EVENTS {
            for next in campaign.after(event) {
                if campaign.state() != next.state() {
                    let ends = (campaign.state().as_str(), next.state().as_str());
                    arrows.entry(ends).or_default().insert(event);
                }
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
        }
    }
    assert_shown("States of a campaign", "draft", &arrows);
}

/// Which states follow each other, through which events.
type Arrows = BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>;

fn assert_shown(heading: &str, first: &str, arrows: &Arrows) {
    let mut drawn = format!("stateDiagram-v2\n    [*] --> {first}\n");
    for ((from, to), events) in arrows {
        let events: Vec<&str> = events.iter().copied().collect();
        drawn += &format!("    {from} --> {to}: {}\n", events.join(", "));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md");
    let document = std::fs::read_to_string(path).unwrap();
    let shown = document
        .split_once(heading)
        .and_then(|(_, section)| section.split_once("```mermaid\n"))
        .and_then(|(_, rest)| rest.split_once("```"))
        .map_or("", |(block, _)| block);
    assert!(
        shown == drawn,
        "ARCHITECTURE.md, {heading:?}: the code does\n\n```mermaid\n{drawn}```\n"
    );
}

/// The facts that decide what is shown, each as coarse as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Campaign {
    sealed: bool,
    hold: Held,
    deferred: bool,
    waiting: bool,
    in_flight: bool,
    begun: bool,
    expired: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    No,
    Paused,
    Halted,
    Cancelled,
}

const EVENTS: [&str; 11] = [
    "seal", "pause", "resume", "halt", "cancel", "defer", "wake", "begin", "settle", "expire",
    "resend",
];

impl Campaign {
    const fn loading(has_recipients: bool) -> Self {
        Self {
            sealed: false,
            hold: Held::No,
            deferred: false,
            waiting: has_recipients,
            in_flight: false,
            begun: false,
            expired: false,
        }
    }

    /// What one event can make of it; nothing, if it cannot happen.
    fn after(self, event: &str) -> Vec<Self> {
        let held = |hold| Self { hold, ..self };
        let open = !self.state().is_final();
        match event {
            "seal" if !self.sealed && self.hold != Held::Cancelled => vec![Self {
                sealed: true,
                ..self
            }],
            "pause" if open => vec![held(Held::Paused)],
            "resume" if open => vec![held(Held::No)],
            "halt" if open && self.sealed && self.hold == Held::No => vec![held(Held::Halted)],
            "cancel" if open => vec![held(Held::Cancelled)],
            "defer" => vec![Self {
                deferred: true,
                ..self
            }],
            "wake" => vec![Self {
                deferred: false,
                ..self
            }],
            // A deferral stops claims, not begins.
            "begin" if self.sealed && self.hold == Held::No && self.waiting && !self.expired => {
                [true, false]
                    .map(|waiting| Self {
                        waiting,
                        in_flight: true,
                        begun: true,
                        ..self
                    })
                    .to_vec()
            }
            "settle" if self.in_flight => [true, self.waiting]
                .map(|waiting| Self {
                    waiting,
                    in_flight: false,
                    ..self
                })
                .to_vec(),
            "expire" => vec![Self {
                expired: true,
                ..self
            }],
            // The host resolves an unknown mail.
            "resend" if self.begun => vec![Self {
                waiting: true,
                ..self
            }],
            _ => Vec::new(),
        }
    }

    fn state(self) -> CampaignState {
        let hold = match self.hold {
            Held::No => None,
            Held::Paused => Some(Hold::Paused {
                by: String::new(),
                why: String::new(),
            }),
            Held::Halted => Some(Hold::Halted {
                cause: HaltCause::BadCredentials,
                detail: String::new(),
            }),
            Held::Cancelled => Some(Hold::Cancelled),
        };
        let deferral: Option<Deferral> = self
            .deferred
            .then(|| super::refusal::no_policy(None, chrono::DateTime::UNIX_EPOCH));
        campaign::state(&Facts {
            sealed: self.sealed,
            hold: hold.as_ref(),
            deferral: deferral.as_ref(),
            counts: Counts {
                pending: self.waiting.into(),
                in_flight: self.in_flight.into(),
                ..Counts::default()
            },
            begun: self.begun,
            expired: self.expired,
        })
    }
}
