use chrono::DateTime;
use mailer_core::domain::{Email, Mailbox, Outcome};
use mailer_smtp::fuzzing::{Wire, wire_form};

use super::letter::Letter;
use super::mime::{Fields, content, decoded, received, split};

/// Any letter is refused, or its wire form is fit for any relay and says what the letter says, and nothing else.
pub(crate) fn check_mail(letter: &Letter) {
    let email = letter.email();
    let wire = match wire_form(&email, true) {
        Ok(wire) => wire,
        Err(
            Outcome::PermanentMessage { .. }
            | Outcome::PermanentRecipient { .. }
            | Outcome::PermanentConfig { .. },
        ) => return,
        Err(other) => panic!("{other:?}"),
    };
    check_commands(&wire);
    let people = [Some(&email.from), Some(&email.to), email.reply_to.as_ref()];
    let people = people.into_iter().flatten();
    let locals: Vec<&str> = people.map(|mailbox| mailbox.address().local()).collect();
    let international = locals.into_iter().filter(|local| !local.is_ascii());
    let mail = received(&wire.mail, &international.collect::<Vec<_>>());
    let (fields, body) = split(&mail);
    check_names(&email, &fields);
    check_values(&email, &fields);
    check_body(&email, &fields, body);
}

fn check_commands(wire: &Wire) {
    for (command, verb) in wire
        .commands
        .iter()
        .zip(["MAIL FROM:<", "RCPT TO:<", "DATA"])
    {
        let line = command.strip_suffix(b"\r\n").expect("a line ends");
        assert!(line.starts_with(verb.as_bytes()));
        assert!(
            !line.iter().any(|byte| b"\r\n\0".contains(byte)),
            "{line:?}"
        );
    }
}

/// The fields are those that the mail has, once each: none was smuggled in.
fn check_names(email: &Email, fields: &Fields) {
    let mut expected = vec!["From", "To"];
    expected.extend(email.reply_to.as_ref().map(|_| "Reply-To"));
    expected.extend(["Subject", "Date", "Message-ID"]);
    let extra = email.draft.headers.iter().map(|(name, _)| name.as_str());
    expected.extend(extra);
    expected.extend(["MIME-Version", "Content-Type"]);
    let is_single = email.draft.body.text.is_none() || email.draft.body.html.is_none();
    expected.extend(is_single.then_some("Content-Transfer-Encoding"));
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected);
}

fn check_values(email: &Email, fields: &Fields) {
    let mut values = fields.iter().map(|(_, value)| value.as_str());
    let mut next = || values.next().unwrap_or_default();
    check_mailbox(next(), &email.from);
    check_mailbox(next(), &email.to);
    if let Some(reply_to) = &email.reply_to {
        check_mailbox(next(), reply_to);
    }
    check_text(next(), &email.draft.subject);
    assert_eq!(
        DateTime::parse_from_rfc2822(next()),
        Ok(email.date.fixed_offset())
    );
    check_message_id(next(), &email.message_id);
    for (_, value) in &email.draft.headers {
        // Plain text stays as it is, whatever a reader makes of it: it may be of any syntax.
        if value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        {
            assert_eq!(next(), value);
        } else {
            check_text(next(), value);
        }
    }
}

/// It stays what it is, but that its domain is in ASCII.
fn check_message_id(value: &str, meant: &str) {
    assert!(value.is_ascii(), "{value:?}");
    if meant.is_ascii() {
        assert_eq!(value, format!("<{meant}>"));
    } else {
        let (left, _) = meant.rsplit_once('@').unwrap_or_default();
        assert!(value.starts_with(&format!("<{left}@")), "{value:?}");
    }
}

fn check_mailbox(value: &str, meant: &Mailbox) {
    let Some(name) = meant.name() else {
        assert_eq!(
            value.rsplit_once('@').unwrap_or_default().0,
            meant.address().local()
        );
        return;
    };
    let (shown, address) = value.rsplit_once(" <").expect("an address in brackets");
    let local = address.rsplit_once('@').unwrap_or_default().0;
    assert_eq!(local, meant.address().local());
    assert!(address.ends_with('>'), "{value:?}");
    let shown = match shown.strip_prefix('"').and_then(|s| s.strip_suffix('"')) {
        Some(quoted) => unescaped(quoted),
        None => {
            // No other address can be read out of a phrase.
            assert!(
                !shown.contains(['"', '<', '>', '@', ',', ';', ':', '(']),
                "{value:?}"
            );
            if shown.contains("=?") {
                decoded(shown.trim_start())
            } else {
                shown.to_owned()
            }
        }
    };
    assert_eq!(shown, name);
}

/// RFC 5322 section 3.2.4.
fn unescaped(quoted: &str) -> String {
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        assert_ne!(c, '"', "a quote ends too early: {quoted:?}");
        match c {
            '\\' => text.extend(characters.next()),
            _ => text.push(c),
        }
    }
    text
}

/// What a reader decodes is what was meant, also where that looks like an encoded word.
fn check_text(value: &str, meant: &str) {
    if value.contains("=?") {
        assert_eq!(decoded(value.trim_start()), meant);
    } else {
        assert_eq!(value, meant);
    }
}

fn check_body(email: &Email, fields: &Fields, body: &str) {
    let kind = &fields
        .iter()
        .find(|(name, _)| name == "Content-Type")
        .expect("a type")
        .1;
    match (&email.draft.body.text, &email.draft.body.html) {
        (Some(text), Some(html)) => {
            let (_, boundary) = kind.split_once("boundary=\"").expect("a boundary");
            let delimiter = format!("--{}", boundary.trim_end_matches('"'));
            let mut parts = format!("\r\n{body}");
            let end = format!("\r\n{delimiter}--\r\n");
            parts = parts
                .strip_suffix(&end)
                .expect("the last boundary")
                .to_owned();
            let between = format!("\r\n{delimiter}\r\n");
            let parts: Vec<&str> = parts.split(&between).collect();
            assert_eq!((parts.len(), parts[0]), (3, ""), "{body:?}");
            for (part, meant, kind) in [
                (parts[1], text, "text/plain"),
                (parts[2], html, "text/html"),
            ] {
                let (fields, body) = split(part);
                assert!(fields.iter().any(|(_, value)| value.starts_with(kind)));
                check_content(&content(&fields, body), meant);
            }
        }
        (text, html) => {
            let meant = text.as_deref().or(html.as_deref()).unwrap_or_default();
            check_content(&content(fields, body), meant);
        }
    }
}

/// The same text, its lines ended by CRLF; the last may have got an end.
fn check_content(content: &str, meant: &str) {
    let meant = meant
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n");
    let is_same = content == meant || content.strip_suffix("\r\n") == Some(&meant);
    assert!(is_same, "{content:?} is not {meant:?}");
}
