use std::sync::Arc;

use chrono::DateTime;
use mailer_core::domain::{Address, Body, Draft, Email, Mailbox};
use mailer_smtp::fuzzing::{Wire, wire_form};
use smtp_proto::Request;

/// Any text is an address or is refused; one that is taken stays what it is, and makes one SMTP command.
pub(crate) fn check_address(text: &str) {
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        assert_eq!(mailbox.to_string().parse(), Ok(mailbox.clone()));
        check_parsed(mailbox.address());
        let renamed = Mailbox::new(text, mailbox.address().clone());
        if let Ok(renamed) = renamed {
            assert_eq!(renamed.to_string().parse(), Ok(renamed));
        }
    }
    let Ok(address) = text.parse::<Address>() else {
        return;
    };
    check_parsed(&address);
    assert_eq!(
        address.local(),
        text.rsplit_once('@').map_or("", |(local, _)| local)
    );
    // As names go, any text may be one.
    if let Ok(named) = Mailbox::new(text, address) {
        assert_eq!(named.to_string().parse(), Ok(named));
    }
}

fn check_parsed(address: &Address) {
    let text = address.as_str();
    assert_eq!(text.parse(), Ok(address.clone()));
    assert_eq!(text, format!("{}@{}", address.local(), address.domain()));
    assert!(address.local().len() <= 64 && text.len() <= 254, "{text}");
    let is_evil = |c: char| c.is_control() || c.is_whitespace() || "<>()[]\\,;:\"".contains(c);
    assert!(!text.contains(is_evil), "{text:?}");
    assert_eq!(text.matches('@').count(), 1, "{text:?}");
    check_commands(address);
}

fn check_commands(address: &Address) {
    let mailbox = || Mailbox::from(address.clone());
    let draft = Draft {
        subject: String::new(),
        headers: Vec::new(),
        body: Arc::new(Body::default()),
    };
    let email = Email::new(
        "1@x.example",
        DateTime::UNIX_EPOCH,
        mailbox(),
        mailbox(),
        draft,
    );
    let Ok(Wire { commands, .. }) = wire_form(&email, true) else {
        return;
    };
    let mut meant = None;
    for command in &commands {
        // RFC 5321 section 4.5.3.1.4, and RFC 6531 section 3.7.4.
        assert!(command.len() <= 512 + 10, "{command:?}");
        let mut bytes = command.iter();
        let (verb, path) = match Request::parse(&mut bytes) {
            Ok(Request::Mail { from }) => ("MAIL", from.address.into_owned()),
            Ok(Request::Rcpt { to }) => ("RCPT", to.address.into_owned()),
            Ok(Request::Data) => ("DATA", meant.clone().unwrap_or_default()),
            other => panic!("{address}: {other:?}"),
        };
        assert!(bytes.as_slice().is_empty(), "a second command: {command:?}");
        assert!(command.starts_with(verb.as_bytes()), "{command:?}");
        assert_eq!(*meant.get_or_insert_with(|| path.clone()), path);
    }
    let meant = meant.unwrap_or_default();
    let (local, domain) = meant.rsplit_once('@').unwrap_or_default();
    assert_eq!(local, address.local());
    assert!(domain.is_ascii() && !domain.is_empty(), "{domain:?}");
    if address.domain().is_ascii() {
        assert_eq!(domain, address.domain());
    }
}
