mod envelope;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mailer_core::domain::{Body, Draft, Email, Mailbox, Outcome};
use proptest::prelude::*;

use super::{Bodies, Unsendable, write_head};

fn date() -> DateTime<Utc> {
    "2026-11-04T09:30:05Z".parse().unwrap()
}

fn email(from: &str, to: &str) -> Email {
    let body = Body {
        text: Some("Dear Ann".to_owned()),
        html: None,
    };
    let draft = Draft {
        subject: "Hello".to_owned(),
        headers: Vec::new(),
        body: Arc::new(body),
    };
    let mailbox = |text: &str| text.parse::<Mailbox>().unwrap();
    Email::new("1@shop.example", date(), mailbox(from), mailbox(to), draft)
}

fn plain() -> Email {
    email("Shop <news@shop.example>", "ann@example.com")
}

fn head(email: &Email) -> Result<String, Unsendable> {
    let mut out = Vec::new();
    write_head(&mut out, email)?;
    Ok(String::from_utf8(out).unwrap())
}

fn body(text: Option<&str>, html: Option<&str>) -> String {
    let body = Body {
        text: text.map(str::to_owned),
        html: html.map(str::to_owned),
    };
    let encoded = Bodies::default().encoded(&Arc::new(body));
    String::from_utf8(encoded.bytes().to_vec()).unwrap()
}

#[track_caller]
fn assert_fit_for_the_wire(text: &str) {
    assert!(text.is_ascii(), "{text}");
    assert!(
        !text.replace("\r\n", "").contains(['\r', '\n', '\0']),
        "{text:?}"
    );
    assert!(text.split("\r\n").all(|line| line.len() <= 998), "{text}");
}

#[test]
fn a_plain_mail() {
    let mut mail = plain();
    mail.reply_to = Some("help@shop.example".parse().unwrap());
    mail.draft.headers = vec![("X-Campaign".to_owned(), "spring".to_owned())];
    assert_eq!(
        head(&mail).unwrap(),
        "From: Shop <news@shop.example>\r\n\
         To: ann@example.com\r\n\
         Reply-To: help@shop.example\r\n\
         Subject: Hello\r\n\
         Date: Wed, 4 Nov 2026 09:30:05 +0000\r\n\
         Message-ID: <1@shop.example>\r\n\
         X-Campaign: spring\r\n"
    );
}

#[test]
fn names_are_quoted_or_encoded() {
    let to = |name: &str| {
        let address = "a@example.com".parse().unwrap();
        let mut mail = plain();
        mail.to = Mailbox::new(name, address).unwrap();
        let head = head(&mail).unwrap();
        let start = head.find("To: ").unwrap() + 4;
        let end = head.find("Subject").unwrap();
        head[start..end].to_owned()
    };
    assert_eq!(to("Ann B"), "Ann B <a@example.com>\r\n");
    assert_eq!(to("B, Ann"), "\"B, Ann\" <a@example.com>\r\n");
    assert_eq!(to("A \"B\" \\"), "\"A \\\"B\\\" \\\\\" <a@example.com>\r\n");
    assert_eq!(to("Jos\u{e9}"), "=?utf-8?b?Sm9zw6k=?= <a@example.com>\r\n");
    assert_eq!(
        to("a <evil@x.example>, b"),
        "\"a <evil@x.example>, b\" <a@example.com>\r\n"
    );
}

#[test]
fn long_headers_are_folded() {
    let mut mail = plain();
    mail.draft.subject = "word ".repeat(60);
    let folded = head(&mail).unwrap();
    assert!(
        folded.split("\r\n").all(|line| line.len() <= 78),
        "{folded}"
    );
    assert!(folded.replace("\r\n", "").contains(&mail.draft.subject));

    mail.draft.subject = "слово ".repeat(60);
    let encoded = head(&mail).unwrap();
    assert!(
        encoded.split("\r\n").all(|line| line.len() <= 76),
        "{encoded}"
    );
    assert_fit_for_the_wire(&encoded);

    mail.draft.subject = "x".repeat(1_200);
    let refused = head(&mail).unwrap_err().outcome();
    assert!(matches!(refused, Outcome::PermanentMessage { reply } if reply.contains("998")));
}

#[test]
fn no_folded_line_is_blank() {
    // Some readers take a line of blanks for the end of the head (RFC 5322 section 3.2.2).
    let mut mail = plain();
    mail.draft.subject = format!("{} \t\t {} \t", "a".repeat(67), "b".repeat(76));
    let folded = head(&mail).unwrap();
    assert!(
        folded.lines().all(|line| !line.trim().is_empty()),
        "{folded:?}"
    );
    assert!(folded.replace("\r\n", "").contains(&mail.draft.subject));
}

#[test]
fn headers_cannot_be_smuggled() {
    let refused = |name: &str, value: &str| {
        let mut mail = plain();
        mail.draft.headers = vec![(name.to_owned(), value.to_owned())];
        matches!(
            head(&mail).map_err(Unsendable::outcome),
            Err(Outcome::PermanentMessage { .. })
        )
    };
    for name in [
        "From",
        "to",
        "SUBJECT",
        "date",
        "Message-Id",
        "mime-version",
        "Content-Type",
        "content-x",
        "Bcc",
        "Sender",
        "Return-Path",
        "Reply-To",
        "",
        "X Y",
        "X:Y",
        "X\r\nBcc",
        "X-\u{e9}",
    ] {
        assert!(refused(name, "value"), "{name:?}");
    }
    for value in ["a\nb", "a\rb", "a\r\n b", "a\0b"] {
        assert!(refused("X-A", value), "{value:?}");
    }
    assert!(refused(
        "List-Unsubscribe",
        "<https://b\u{fc}cher.example/>"
    ));
    assert!(!refused("List-Unsubscribe", "<https://shop.example/u/1>"));

    let mut mail = plain();
    mail.draft.subject = "a\r\nBcc: all@example.com".to_owned();
    assert!(head(&mail).is_err());
    mail = plain();
    mail.message_id = "1@x>\r\nBcc: all@example.com".to_owned();
    assert!(head(&mail).is_err());
}

#[test]
fn the_domain_of_a_message_id_goes_as_its_a_labels() {
    let id = |id: &str| {
        let mut mail = plain();
        mail.message_id = id.to_owned();
        head(&mail).map(|head| {
            let line = head.split("\r\n").find(|line| line.starts_with("Message"));
            line.unwrap().to_owned()
        })
    };
    for (given, written) in [
        ("1@b\u{fc}cher.example", "1@xn--bcher-kva.example"),
        ("1@2@b\u{fc}cher.example", "1@2@xn--bcher-kva.example"),
        // What is ASCII stays as it is, an odd one included.
        ("1@-a_b.EXAMPLE", "1@-a_b.EXAMPLE"),
        ("1", "1"),
    ] {
        assert_eq!(id(given), Ok(format!("Message-ID: <{written}>")));
    }
    for unfit in [
        "\u{fc}@shop.example",
        "\u{fc}",
        "1@\u{fc}\u{378}.example",
        "1@b\u{fc}cher.example>\r\nBcc: all@example.com",
        "1@b\u{fc}cher .example",
    ] {
        let refused = id(unfit).map_err(Unsendable::outcome);
        let is_of_the_mail = matches!(refused, Err(Outcome::PermanentMessage { .. }));
        assert!(is_of_the_mail, "{unfit:?}: {refused:?}");
    }
}

#[test]
fn bodies_are_normalised_and_stuffed() {
    assert_eq!(
        body(Some("one\n.two\r\r\n..three"), None),
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         one\r\n..two\r\n\r\n...three\r\n.\r\n"
    );
    assert!(body(None, None).ends_with("\r\n\r\n\r\n.\r\n"));
    for text in [
        "caf\u{e9}",
        "nul\0",
        "esc\x1b",
        &"x".repeat(3_000),
        "\u{1f600}\n.\n",
    ] {
        let encoded = body(Some(text), Some(text));
        assert_fit_for_the_wire(&encoded);
        assert_eq!(encoded.matches("\r\n.\r\n").count(), 1);
        assert!(encoded.ends_with("\r\n.\r\n"));
    }
}

#[test]
fn both_forms_are_alternatives() {
    let both = body(Some("text"), Some("<p>html</p>"));
    assert_eq!(both, body(Some("text"), Some("<p>html</p>")));
    let boundary = both
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(both.matches(&format!("--{boundary}\r\n")).count(), 2);
    assert!(both.ends_with(&format!("--{boundary}--\r\n.\r\n")));
    assert!(both.find("text/plain") < both.find("text/html"));
}

#[test]
fn shared_bodies_are_encoded_once() {
    let bodies = Bodies::default();
    let shared = Arc::new(Body::default());
    let first = bodies.encoded(&shared);
    assert!(!std::ptr::eq(
        first.bytes(),
        bodies.encoded(&shared).bytes()
    )); // nobody else holds it
    let holder = Arc::clone(&shared);
    let first = bodies.encoded(&shared);
    assert!(std::ptr::eq(first.bytes(), bodies.encoded(&holder).bytes()));
    assert!(!first.is_of(&Arc::new(Body::default())));
}

proptest! {
    #[test]
    fn no_text_breaks_a_head(subject in "\\PC{0,300}", name in "\\PC{0,100}", value in "\\PC{0,300}") {
        let mut mail = plain();
        mail.draft.subject = subject;
        mail.to = Mailbox::new(&name, "a@example.com".parse().unwrap()).unwrap();
        mail.draft.headers = vec![("X-Any".to_owned(), value)];
        assert_fit_for_the_wire(&head(&mail).unwrap());
    }

    #[test]
    fn no_text_breaks_a_body(text in "(\\PC|[.\r\n\0\t]){0,400}", html in "(\\PC|[.\r\n]){0,200}") {
        let encoded = body(Some(&text), Some(&html));
        assert_fit_for_the_wire(&encoded);
        prop_assert!(encoded.ends_with("\r\n.\r\n"));
        prop_assert_eq!(encoded.matches("\r\n.\r\n").count(), 1);
    }
}
