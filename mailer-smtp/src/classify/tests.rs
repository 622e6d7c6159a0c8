use proptest::prelude::*;

use super::{Class, HaltKind, Stage, classify, classify_silence};
use crate::reply::Inbox;

const STAGES: [Stage; 9] = [
    Stage::Greeting,
    Stage::Hello,
    Stage::StartTls,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Body,
    Stage::Dot,
];

fn class(stage: Stage, text: &str) -> Class {
    let mut inbox = Inbox::default();
    inbox
        .space()
        .extend_from_slice(format!("{text}\r\n").as_bytes());
    classify(stage, inbox.next().unwrap().unwrap())
}

fn rows(stage: Stage, rows: &[(&str, Class)]) {
    for (text, expected) in rows {
        assert_eq!(class(stage, text), *expected, "{stage:?}: {text}");
    }
}

const CREDENTIALS: Class = Class::PermanentConfig(HaltKind::Credentials);
const SENDER: Class = Class::PermanentConfig(HaltKind::Sender);
const TLS: Class = Class::PermanentConfig(HaltKind::Tls);

#[test]
fn greeting_and_hello() {
    for stage in [Stage::Greeting, Stage::Hello] {
        rows(
            stage,
            &[
                ("220 relay.example ESMTP", Class::Accepted),
                ("220", Class::Accepted),
                ("354 odd", Class::TransientRelay),
                ("421 4.7.0 too many connections", Class::RelayLimited),
                ("421 4.3.2 not accepting now", Class::RelayLimited),
                ("421 Too many concurrent sessions", Class::RelayLimited),
                ("421 shutting down", Class::TransientRelay),
                ("450 later", Class::TransientRelay),
                ("554 no service for you", SENDER),
                ("521 5.3.2 host does not accept mail", SENDER),
            ],
        );
    }
}

#[test]
fn start_tls() {
    rows(
        Stage::StartTls,
        &[
            ("220 go", Class::Accepted),
            ("454 4.7.0 not now", Class::TransientRelay),
            ("421 bye", Class::TransientRelay),
            ("502 5.5.1 not here", TLS),
            ("554 5.7.3 no", TLS),
        ],
    );
}

#[test]
fn auth() {
    rows(
        Stage::Auth,
        &[
            ("235 2.7.0 welcome", Class::Accepted),
            ("535 5.7.8 bad credentials", CREDENTIALS),
            ("534 5.7.9 too weak", CREDENTIALS),
            ("530 5.7.0 no", CREDENTIALS),
            ("538 5.7.11 encrypt", CREDENTIALS),
            ("504 5.5.4 unknown mechanism", CREDENTIALS),
            ("500 what", CREDENTIALS),
            ("454 4.7.0 temporary failure", Class::TransientRelay),
            ("421 4.7.0 too many attempts", Class::TransientRelay),
            ("432 4.7.12 transition needed", Class::TransientRelay),
        ],
    );
}

#[test]
fn mail() {
    rows(
        Stage::Mail,
        &[
            ("250 2.1.0 ok", Class::Accepted),
            ("421 4.7.0 slow down", Class::RelayLimited),
            ("421 too many messages", Class::RelayLimited),
            ("421 4.4.2 idle", Class::TransientRelay),
            ("450 4.7.1 wait", Class::RelayLimited),
            ("451 oops", Class::TransientRelay),
            ("452 4.3.1 disk full", Class::TransientRelay),
            ("530 5.7.0 authentication required", CREDENTIALS),
            ("530 5.7.0 Must issue a STARTTLS command first", TLS),
            ("550 sender unknown", SENDER),
            ("553 5.1.8 no such domain", SENDER),
            ("501 5.1.7 bad sender", SENDER),
            ("554 5.7.1 not you", SENDER),
            ("552 too big", Class::PermanentMessage),
            ("550 5.3.4 too big", Class::PermanentMessage),
            ("501 syntax", Class::TransientRelay),
            ("503 5.5.1 sequence", Class::TransientRelay),
            ("555 parameter", Class::TransientRelay),
            ("354 odd", Class::TransientRelay),
        ],
    );
}

#[test]
fn rcpt_refused_for_now() {
    rows(
        Stage::Rcpt,
        &[
            ("421 4.7.0 later", Class::RelayLimited),
            ("421 closing", Class::TransientRelay),
            ("450 4.7.1 wait", Class::TransientRecipient),
            ("451 Greylisted, try again", Class::TransientRecipient),
            ("450 4.2.1 too quickly", Class::TransientRecipient),
            ("452 4.2.2 full", Class::TransientRecipient),
            ("452 4.5.3 too many recipients", Class::RelayLimited),
            ("450 4.7.28 unusual rate", Class::RelayLimited),
            ("450 4.7.0 rate limit reached", Class::RelayLimited),
            ("450 4.3.2 not now", Class::RelayLimited),
            ("454 4.7.1 Relay access denied", Class::TransientRelay),
            ("450 4.7.25 no PTR", Class::TransientRecipient),
            ("451 local error", Class::TransientRecipient),
        ],
    );
}

#[test]
fn rcpt_refused_for_good() {
    rows(
        Stage::Rcpt,
        &[
            ("250 ok", Class::Accepted),
            ("251 will forward", Class::Accepted),
            ("252 cannot say", Class::Accepted),
            ("354 odd", Class::TransientRelay),
            ("550 5.1.1 no such user", Class::PermanentRecipient),
            ("550 5.1.1 user access denied", Class::PermanentRecipient),
            ("551 5.1.6 moved", Class::PermanentRecipient),
            ("553 5.1.3 bad address", Class::PermanentRecipient),
            ("550 5.1.10 null MX", Class::PermanentRecipient),
            ("550 5.2.1 disabled", Class::PermanentRecipient),
            ("550", Class::PermanentRecipient),
            ("550 no such user", Class::PermanentRecipient),
            ("550 blocked as spam", Class::PolicyBlock),
            ("552 5.2.2 full", Class::TransientRecipient),
            ("552 too many recipients", Class::TransientRecipient),
            ("550 5.2.2 full", Class::TransientRecipient),
            ("550 5.7.1 not authorised", Class::PolicyBlock),
            ("550 5.7.515 unauthenticated mail", Class::PolicyBlock),
            ("554 5.7.1 Relay access denied", SENDER),
            ("530 5.7.0 authentication required", CREDENTIALS),
            ("550 5.6.7 needs SMTPUTF8", Class::PermanentRecipient),
            ("550 5.1.0 odd address", Class::PermanentRecipient),
            ("554 nothing said", Class::PolicyBlock),
            ("503 5.5.1 sequence", Class::TransientRelay),
        ],
    );
}

#[test]
fn data_and_body() {
    rows(
        Stage::Data,
        &[
            ("354 go", Class::Accepted),
            ("250 odd", Class::TransientRelay),
            ("451 later", Class::TransientRelay),
            ("450 4.7.1 slow", Class::RelayLimited),
            ("421 4.7.0 too many", Class::RelayLimited),
            ("554 no valid recipients", Class::PolicyBlock),
            ("550 5.7.1 no", Class::PolicyBlock),
            ("503 sequence", Class::TransientRelay),
        ],
    );
    rows(
        Stage::Body,
        &[
            ("250 too early", Class::TransientRelay),
            ("354 again", Class::TransientRelay),
            ("451 4.3.0 enough", Class::TransientRelay),
            ("552 5.3.4 too big", Class::PermanentMessage),
            ("550 5.7.1 spam", Class::PolicyBlock),
        ],
    );
}

#[test]
fn dot() {
    rows(
        Stage::Dot,
        &[
            ("250 2.0.0 queued as 4F1", Class::Accepted),
            ("299 odd", Class::Accepted),
            ("354 odd", Class::Unknown),
            ("421 4.7.0 slow", Class::RelayLimited),
            ("421 closing", Class::TransientRelay),
            ("451 4.3.0 oops", Class::TransientRelay),
            ("451 4.7.1 wait", Class::RelayLimited),
            ("452 later", Class::TransientRecipient),
            ("550 5.1.1 no such user", Class::PermanentRecipient),
            ("552 too big", Class::PermanentMessage),
            ("554 5.6.0 malformed", Class::PermanentMessage),
            ("554 refused", Class::PolicyBlock),
            ("550 5.7.1 spam", Class::PolicyBlock),
        ],
    );
}

#[test]
fn silence_is_unknown_after_the_dot_only() {
    for stage in STAGES {
        let unknown = classify_silence(stage) == Class::Unknown;
        assert_eq!(unknown, stage == Stage::Dot);
    }
}

proptest! {
    #[test]
    fn every_code_has_a_class(stage in prop::sample::select(&STAGES), code in 200_u16..600, text in "( [245]\\.[0-9]\\.[0-9])?[ -~]{0,20}") {
        let class = class(stage, &format!("{code} {text}"));
        // Only a positive reply accepts, and a final dot needs a 2yz.
        if class == Class::Accepted {
            prop_assert!(code < 300 || (stage == Stage::Data && code < 400));
        }
        if (200..300).contains(&code) {
            prop_assert_eq!(class == Class::Accepted, !matches!(stage, Stage::Data | Stage::Body));
        }
        prop_assert!(class != Class::Unknown || (stage == Stage::Dot && (300..400).contains(&code)));
        let before_mail = matches!(stage, Stage::Greeting | Stage::Hello | Stage::StartTls | Stage::Auth);
        let of_a_mail = matches!(class, Class::PermanentRecipient | Class::PermanentMessage | Class::PolicyBlock
            | Class::TransientRecipient | Class::Unknown);
        prop_assert!(!(before_mail && of_a_mail));
        if (400..500).contains(&code) {
            prop_assert!(matches!(class, Class::TransientRecipient | Class::TransientRelay | Class::RelayLimited));
        }
    }
}
