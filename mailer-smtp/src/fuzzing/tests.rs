//! The stable twins of the fuzz targets.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::properties::{Letter, check_address, check_mail, check_replies};

/// Bytes of which replies are made, and others.
fn reply_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => "(2[0-9]{2}|[345][0-9]{2})[ -](|[245]\\.[0-9]{1,3}\\.[0-9]{1,3}( |))[a-z0-9 .]{0,12}\r?\n",
        2 => "[245][0-9]{2}\r?\n",
        1 => "[0-9]{1,4}[-\t ]?.{0,8}",
    ];
    let piece = prop_oneof![
        9 => piece.prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..12),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Text with more than its share of what is special in a mail.
fn text(most: usize) -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ -~]{0,30}",
        3 => "[ \t.=?<>@\",;:\\\\-]{0,8}",
        2 => "\\PC{0,20}",
        1 => "[\r\n.\0\t ]{1,4}",
        1 => "[a-z]{60,120}",
        1 => Just("=?utf-8?q?x?=".to_owned()),
    ];
    vec(part, 0..most).prop_map(|parts| parts.concat())
}

/// Text without line breaks, so that most letters are not refused; or with a header behind one.
fn line(most: usize) -> impl Strategy<Value = String> {
    let line = text(most).prop_map(|text| text.replace(['\r', '\n', '\0'], ""));
    let end = prop_oneof![
        29 => Just(""),
        1 => Just("\nBcc: all@x.example"),
        1 => Just("\r\nBcc: all@x.example"),
    ];
    (line, end).prop_map(|(line, end)| line + end)
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9.!#*+=-]{1,12}@[a-z0-9-]{1,12}\\.[a-z]{2,4}",
        3 => "\\w{1,10}@\\w{1,10}\\.\\w{1,5}",
        // Letters whose lower case is longer, or another in another place.
        1 => "[a-z]{1,4}@[A-Z\u{df}\u{130}\u{23a}\u{3a3}\u{fb01}]{1,40}\\.[a-z]{2}",
        1 => "\\PC{0,12}@\\PC{0,12}",
        1 => text(2),
    ]
}

fn mailbox() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => line(4),
        1 => "\"{0,2}[a-z \\\\\"]{0,8}\"{0,2}",
    ];
    (name, address()).prop_map(|(name, address)| format!("{name} <{address}>"))
}

fn letter() -> impl Strategy<Value = Letter> {
    let header = ("(X-[A-Za-z]{1,70}|List-Id|\\.x|[!-~]{1,80})", line(6));
    (
        (line(8), option::of(text(12)), option::of(text(8))),
        (mailbox(), mailbox(), option::of(mailbox())),
        (
            prop_oneof![4 => "[!-~]{1,40}", 1 => "[!-~]{1,9}@\\w{1,10}\\.\\w{1,5}"],
            vec(header, 0..3),
            0..1_i64 << 37,
        ),
    )
        .prop_map(
            |((subject, text, html), people, (message_id, headers, seconds))| {
                let (sender, recipient, reply_to) = people;
                Letter {
                    subject,
                    text,
                    html,
                    sender,
                    recipient,
                    reply_to,
                    message_id,
                    headers,
                    seconds,
                }
            },
        )
}

proptest! {
    #[test]
    fn replies_are_the_same_in_any_pieces(size in any::<u8>(), bytes in reply_bytes()) {
        check_replies(&[&[size], bytes.as_slice()].concat());
    }

    #[test]
    fn a_letter_arrives_as_it_was_written(letter in letter()) {
        check_mail(&letter);
    }

    #[test]
    fn an_address_stays_what_it_is(text in address()) {
        check_address(&text);
    }

    #[test]
    fn a_mailbox_stays_what_it_is(text in mailbox()) {
        check_address(&text);
    }
}
