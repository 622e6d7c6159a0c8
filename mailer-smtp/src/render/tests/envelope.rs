use mailer_core::domain::{Email, Outcome};

use super::{email, head, plain};
use crate::hello::Extensions;
use crate::render::{Envelope, Unsendable};

/// A relay with SMTPUTF8, or with nothing.
fn offered(smtputf8: bool) -> Extensions {
    Extensions {
        smtputf8,
        ..Extensions::default()
    }
}

#[test]
fn bounces_go_to_the_return_path() {
    let mut mail = plain();
    let mut envelope = Envelope::default();
    let mut sender = |path: &str, utf8| {
        mail.return_path = Some(path.parse().unwrap());
        envelope
            .write(&mail, 1, &offered(utf8))
            .map_err(Unsendable::outcome)?;
        Ok(String::from_utf8(envelope.mail().to_vec()).unwrap())
    };
    assert_eq!(
        sender("bounces+ann=example.com@shop.example", false),
        Ok("MAIL FROM:<bounces+ann=example.com@shop.example>\r\n".to_owned())
    );
    assert_eq!(
        sender("b@b\u{fc}cher.example", false),
        Ok("MAIL FROM:<b@xn--bcher-kva.example>\r\n".to_owned())
    );
    let refused = sender("r\u{fc}ck@shop.example", false);
    assert!(
        matches!(&refused, Err(Outcome::PermanentConfig { .. })),
        "{refused:?}"
    );
    assert!(
        sender("r\u{fc}ck@shop.example", true)
            .unwrap()
            .ends_with("> SMTPUTF8\r\n")
    );
    let head = head(&mail).unwrap();
    assert!(
        head.starts_with("From: Shop <news@shop.example>\r\n"),
        "{head}"
    );
    assert!(!head.contains("r\u{fc}ck"));
}

#[test]
fn addresses_in_the_envelope() {
    let write =
        |from, to, utf8| {
            let mut envelope = Envelope::default();
            envelope
                .write(&email(from, to), 1, &offered(utf8))
                .map_err(Unsendable::outcome)?;
            Ok([envelope.mail(), envelope.rcpt()]
                .map(|line| String::from_utf8(line.to_vec()).unwrap()))
        };
    let ascii = write("a@shop.example", "b@b\u{fc}cher.example", false).unwrap();
    assert_eq!(
        ascii,
        [
            "MAIL FROM:<a@shop.example>\r\n",
            "RCPT TO:<b@xn--bcher-kva.example>\r\n"
        ]
    );
    let utf8 = write("a@shop.example", "j\u{f6}rg@example.com", true).unwrap();
    assert_eq!(
        utf8,
        [
            "MAIL FROM:<a@shop.example> SMTPUTF8\r\n",
            "RCPT TO:<j\u{f6}rg@example.com>\r\n"
        ]
    );
    let recipient: Result<_, Outcome> = write("a@shop.example", "j\u{f6}rg@example.com", false);
    assert!(matches!(recipient, Err(Outcome::TransientRecipient { .. })));
    let sender = write("j\u{f6}rg@shop.example", "b@example.com", false);
    assert!(matches!(sender, Err(Outcome::PermanentConfig { .. })));
}

#[test]
fn the_size_is_declared_where_it_is_asked_for() {
    let mut envelope = Envelope::default();
    let with_size = Extensions {
        size: true,
        smtputf8: true,
        ..Extensions::default()
    };
    envelope.write(&plain(), 4_711, &with_size).unwrap();
    assert_eq!(
        envelope.mail(),
        b"MAIL FROM:<news@shop.example> SIZE=4711\r\n"
    );
}

#[test]
fn an_address_in_a_header_may_need_smtputf8_alone() {
    let with = |change: fn(&mut Email), utf8| {
        let mut mail = plain();
        change(&mut mail);
        let mut envelope = Envelope::default();
        let written = envelope.write(&mail, 1, &offered(utf8));
        written
            .map(|()| String::from_utf8(envelope.mail().to_vec()).unwrap())
            .map_err(Unsendable::outcome)
    };
    let reply_to: fn(&mut Email) =
        |mail| mail.reply_to = Some("j\u{f6}rg@shop.example".parse().unwrap());
    let from: fn(&mut Email) = |mail| {
        mail.from = "j\u{f6}rg@shop.example".parse().unwrap();
        mail.return_path = Some("bounces@shop.example".parse().unwrap());
    };
    for change in [reply_to, from] {
        assert!(with(change, true).unwrap().ends_with("> SMTPUTF8\r\n"));
        let refused = with(change, false);
        assert!(
            matches!(&refused, Err(Outcome::PermanentConfig { .. })),
            "{refused:?}"
        );
    }
    let idn: fn(&mut Email) = |mail| mail.reply_to = Some("a@b\u{fc}cher.example".parse().unwrap());
    assert!(with(idn, false).is_ok());
}

#[test]
fn an_address_that_is_too_long_in_ascii_is_refused() {
    let domain = ["\u{fc}\u{f6}\u{e4}\u{fc}\u{f6}\u{e4}\u{fc}"; 12].join(".");
    let to = format!("{}@{domain}.example", "a".repeat(64));
    let mut envelope = Envelope::default();
    let mail = email("a@shop.example", &to);
    let refused = envelope.write(&mail, 1, &offered(true)).unwrap_err();
    let refused = refused.outcome();
    assert!(
        matches!(&refused, Outcome::PermanentRecipient { reply } if reply.contains("254")),
        "{refused:?}"
    );
}
