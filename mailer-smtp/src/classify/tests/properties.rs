use proptest::prelude::*;

use super::{Class, STAGES, Stage, class_name, fits, rows, verdict};
use crate::classify::{Connection, classify_silence};

/// Texts that decide something, and one that does not.
const WORDS: [&str; 9] = [
    "",
    "too many messages",
    "too many recipients",
    "Greylisted",
    "spam",
    "Relay access denied",
    "Must issue a STARTTLS command first",
    "no such user",
    "user access denied",
];

/// Every stage, every code, enhanced codes of every subject that means something, and words: one verdict, and the table
/// has a row with it at that stage.
#[test]
fn the_table_has_a_row_for_every_reply() {
    let rows = rows();
    for (name, stage) in STAGES {
        let at_stage: Vec<_> = rows.iter().filter(|row| row.is_at(name)).collect();
        for code in 200..600 {
            let mut replies = vec![code.to_string()];
            for subject in 0..8 {
                for detail in [0, 1, 2, 3, 4, 7, 8, 10, 28] {
                    replies.push(format!("{code} {}.{subject}.{detail}", code / 100));
                }
            }
            replies.extend(WORDS.map(|words| format!("{code} {words}")));
            for reply in replies {
                let verdict = verdict(stage, &reply);
                assert!(
                    at_stage.iter().any(|row| fits(row, verdict)),
                    "{name} {reply}: {verdict:?}"
                );
            }
        }
    }
}

#[test]
fn silence_is_unknown_after_the_dot_only() {
    for (name, stage) in STAGES {
        let verdict = classify_silence(stage);
        assert_eq!(
            verdict.class == Class::Unknown,
            stage == Stage::Dot,
            "{name}"
        );
        assert_eq!(verdict.connection, Connection::Close);
    }
}

proptest! {
    #[test]
    fn what_a_class_may_follow_from(
        (name, stage) in prop::sample::select(&STAGES),
        code in 200_u16..600,
        enhanced in "([245]\\.[0-9]{1,2}\\.[0-9]{1,3} )?",
        text in "[ -~]{0,20}",
        words in prop::sample::select(&WORDS),
    ) {
        let told = verdict(stage, &format!("{code} {enhanced}{text} {words}"));
        let class = told.class;
        prop_assert_eq!(told, verdict(stage, &format!("{code} {enhanced}{text} {words}")));
        // Only a positive reply accepts, and a final dot needs a 2yz.
        if class == Class::Accepted {
            prop_assert!(code < 300 || (stage == Stage::Data && code < 400));
        }
        if (200..300).contains(&code) {
            prop_assert_eq!(class == Class::Accepted, !matches!(stage, Stage::Data | Stage::Body));
        }
        prop_assert!(class != Class::Unknown || (stage == Stage::Dot && (300..400).contains(&code)));
        // Nothing that is said before `MAIL FROM` is charged to a mail.
        let is_setup = matches!(stage, Stage::Greeting | Stage::Ehlo | Stage::Helo | Stage::StartTls | Stage::Auth);
        let is_of_a_mail = matches!(class, Class::PermanentRecipient | Class::PermanentMessage | Class::PolicyBlock
            | Class::TransientRecipient | Class::Misunderstood | Class::Unknown);
        prop_assert!(!(is_setup && is_of_a_mail), "{name}");
        // A sender that is refused is never charged to a recipient.
        if stage == Stage::Mail {
            prop_assert!(!class_name(class).ends_with("_recipient"));
        }
        if (400..500).contains(&code) {
            prop_assert!(matches!(class, Class::TransientRecipient | Class::TransientRelay | Class::RelayLimited));
        }
        // The three digits win over an enhanced code that contradicts them.
        if !enhanced.starts_with(char::from(b'0' + (code / 100) as u8)) && enhanced.len() < 8 {
            prop_assert_eq!(class, verdict(stage, &format!("{code} x {text} {words}")).class);
        }
        if code == 421 {
            prop_assert_eq!(told.connection, Connection::Close);
        }
        if class == Class::Accepted {
            prop_assert_eq!(told.connection, Connection::Keep);
        }
    }
}
