mod properties;
mod rows;

use std::io;

use super::{
    Class, Connection, Stage, Unreached, Verdict, classify, classify_connect, classify_lookup,
    classify_silence,
};
use crate::reply::Inbox;
use rows::{Row, rows};

const STAGES: [(&str, Stage); 10] = [
    ("greeting", Stage::Greeting),
    ("EHLO", Stage::Ehlo),
    ("HELO", Stage::Helo),
    ("STARTTLS", Stage::StartTls),
    ("AUTH", Stage::Auth),
    ("MAIL", Stage::Mail),
    ("RCPT", Stage::Rcpt),
    ("DATA", Stage::Data),
    ("body", Stage::Body),
    ("dot", Stage::Dot),
];

fn verdict(stage: Stage, text: &str) -> Verdict {
    let mut inbox = Inbox::default();
    inbox
        .space()
        .extend_from_slice(format!("{text}\r\n").as_bytes());
    classify(stage, inbox.next().unwrap().unwrap())
}

/// As the table writes it.
fn class_name(class: Class) -> String {
    match class {
        Class::Accepted => "accepted".to_owned(),
        Class::Misunderstood => "misunderstood".to_owned(),
        Class::PermanentConfig(kind) => format!("permanent_config: {}", kind.cause()),
        _ => class.outcome(String::new(), None).code().to_owned(),
    }
}

fn connection_name(connection: Connection) -> &'static str {
    match connection {
        Connection::Keep => "keep",
        Connection::Reset => "reset",
        Connection::Close => "close",
        Connection::Helo => "HELO",
    }
}

fn fits(row: &Row, verdict: Verdict) -> bool {
    (row.class == "as HELO" || row.class == class_name(verdict.class))
        && row.wait == verdict.wait
        && row.connection == connection_name(verdict.connection)
}

#[test]
fn every_example_of_the_table_is_classified_as_the_table_says() {
    let mut checked = 0;
    for row in rows() {
        for (name, example) in row.cases() {
            let Some((_, stage)) = STAGES.iter().find(|(known, _)| *known == name) else {
                assert!(matches!(name, "connect" | "TLS"), "{name}");
                continue;
            };
            let verdict = match example {
                "(closed)" | "(reset)" | "(silent)" | "(garbage)" => classify_silence(*stage),
                "(no STARTTLS)" | "(no mechanism)" => continue, // no reply: see the scripted relays
                reply => verdict(*stage, reply),
            };
            assert!(
                fits(&row, verdict),
                "{name} {example}: {verdict:?}, {row:?}"
            );
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

#[test]
fn no_connection() {
    let resolver =
        |words: &str| io::Error::other(format!("failed to lookup address information: {words}"));
    let of = |example: &str| match example {
        "(refused)" => classify_connect(&io::ErrorKind::ConnectionRefused.into()),
        "(unreachable)" => classify_connect(&io::ErrorKind::HostUnreachable.into()),
        "(too slow)" => classify_connect(&io::ErrorKind::TimedOut.into()),
        "(resolver fails)" => classify_lookup(&resolver("Temporary failure in name resolution")),
        "(no sockets)" => classify_lookup(&io::Error::from_raw_os_error(24)),
        "(no ports)" => classify_connect(&io::ErrorKind::AddrNotAvailable.into()),
        "(no such name)" => classify_lookup(&resolver("Name or service not known")),
        other => panic!("{other}"),
    };
    let mut checked = 0;
    for (_, example) in rows()
        .iter()
        .filter(|row| row.is_at("connect") && row.class == "transient_relay")
        .flat_map(Row::cases)
    {
        let expected = match example {
            "(no such name)" => Unreached::NoSuchName,
            "(no sockets)" | "(no ports)" => Unreached::Ourselves,
            _ => Unreached::Relay,
        };
        assert_eq!(of(example), expected, "{example}");
        checked += 1;
    }
    assert_eq!(checked, 7);
}
