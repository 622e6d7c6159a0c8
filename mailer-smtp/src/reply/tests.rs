use std::time::Duration;

use proptest::prelude::*;

use super::{Enhanced, Inbox, Malformed};

/// Reads all of `bytes`, given in pieces of `size`: every reply's code and text.
fn read(bytes: &[u8], size: usize) -> Result<Vec<(u16, String)>, Malformed> {
    let mut inbox = Inbox::default();
    let mut replies = Vec::new();
    for piece in bytes.chunks(size) {
        inbox.space().extend_from_slice(piece);
        while let Some(reply) = inbox.next()? {
            replies.push((reply.code(), reply.text()));
        }
    }
    Ok(replies)
}

fn one(bytes: &[u8]) -> (u16, String) {
    let mut replies = read(bytes, 1).unwrap();
    assert_eq!(replies, read(bytes, usize::MAX).unwrap());
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies.remove(0)
}

#[test]
fn what_relays_send_is_read() {
    let corpus: [(&[u8], u16, &str); 9] = [
        (b"250 ok\r\n", 250, "250 ok"),
        (b"250\r\n", 250, "250"),
        (b"250 \r\n", 250, "250"),
        (b"571 no\r\n", 571, "571 no"),
        (b"299 odd\n", 299, "299 odd"),
        (b"550-one\r\n550-\r\n550 two\r\n", 550, "550 one two"),
        (b"550-one\r\n550\r\n", 550, "550 one"),
        (b"550 bo\xeete pleine\r\n", 550, "550 boîte pleine"),
        ("550 boîte\x1b[2J\r\n".as_bytes(), 550, "550 boîte [2J"),
    ];
    for (bytes, code, text) in corpus {
        assert_eq!(one(bytes), (code, text.to_owned()));
    }
}

#[test]
fn pipelined_replies_come_one_by_one() {
    let codes = |bytes| read(bytes, 7).unwrap().into_iter().map(|(code, _)| code);
    assert!(codes(b"250 a\r\n250-b\r\n250 c\r\n354 d\r\n").eq([250, 250, 354]));
}

#[test]
fn garbage_is_not_a_reply() {
    let cases: [&[u8]; 7] = [
        b"hello\r\n",
        b"25\r\n",
        b"199 too low\r\n",
        b"600 too high\r\n",
        b"250-one\r\n550 two\r\n",
        b"2500 four digits\r\n",
        b"\r\n",
    ];
    for bytes in cases {
        assert!(read(bytes, 1).is_err(), "{bytes:?}");
    }
    assert_eq!(read(b"250 unfinished", 3), Ok(Vec::new()));
}

#[test]
fn length_is_bounded() {
    let line = |n: usize| format!("250 {}\r\n", "x".repeat(n)).into_bytes();
    assert!(read(&line(2_000), 100).is_ok());
    assert!(read(&line(5_000), 100).is_err());
    assert!(read("250-x\r\n".repeat(100).as_bytes(), 100).is_ok());
    assert!(read("250-x\r\n".repeat(20_000).as_bytes(), 100).is_err());
    let kept = one(&line(2_000)).1;
    assert_eq!(kept.chars().count(), 1_001);
}

#[test]
fn what_was_handed_out_is_forgotten() {
    let mut inbox = Inbox::default();
    inbox.space().extend_from_slice(b"25");
    for _ in 0..20_000 {
        inbox.space().extend_from_slice(b"0 ok\r\n25");
        assert_eq!(inbox.next().unwrap().unwrap().text(), "250 ok");
        assert_eq!(inbox.next(), Ok(None));
    }
    assert!(inbox.held() < 10_000, "{}", inbox.held());
}

#[test]
fn enhanced_codes_yield_to_the_digits() {
    let enhanced = |text: &str| {
        let mut inbox = Inbox::default();
        inbox.space().extend_from_slice(text.as_bytes());
        inbox.next().unwrap().unwrap().enhanced()
    };
    let code = |class, subject, detail| {
        Some(Enhanced {
            class,
            subject,
            detail,
        })
    };
    assert_eq!(enhanced("550 5.1.1 gone\r\n"), code(5, 1, 1));
    assert_eq!(
        enhanced("421-4.7.28 slow\r\n421 4.7.28 down\r\n"),
        code(4, 7, 28)
    );
    assert_eq!(enhanced("550 5.7.515\r\n"), code(5, 7, 515));
    assert_eq!(enhanced("550 4.1.1 which?\r\n"), None);
    assert_eq!(enhanced("550 5.1 short\r\n"), None);
    assert_eq!(enhanced("550 10.0.0.1 blocked\r\n"), None);
    assert_eq!(enhanced("550 5.1.1.1 address\r\n"), None);
    assert_eq!(enhanced("550\r\n"), None);
}

#[test]
fn a_wait_in_words_is_understood() {
    let wait = |text: &str| {
        let mut inbox = Inbox::default();
        inbox.space().extend_from_slice(text.as_bytes());
        inbox.next().unwrap().unwrap().retry_after()
    };
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!(wait("451 4.7.1 Try again in 5 minutes\r\n"), seconds(300));
    assert_eq!(
        wait("450 greylisted, retry after 300 seconds.\r\n"),
        seconds(300)
    );
    assert_eq!(wait("421 please wait 1 hour\r\n"), seconds(3_600));
    assert_eq!(wait("450 try again in 30s\r\n"), seconds(30));
    assert_eq!(wait("450 try again in 00:04:59\r\n"), seconds(299));
    assert_eq!(
        wait("450 try again in 99999999999999999999 hours\r\n"),
        None
    );
    assert_eq!(wait("450 try again in 90000 hours\r\n"), seconds(86_400));
    assert_eq!(wait("550 5 minutes of fame\r\n"), None);
    assert_eq!(wait("450 try again later\r\n"), None);
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1_usize..40) {
        let in_pieces = read(&bytes, size);
        prop_assert_eq!(in_pieces, read(&bytes, 1));
    }

    #[test]
    fn nothing_breaks_the_text(text in "[ -~]{0,80}") {
        let mut inbox = Inbox::default();
        inbox.space().extend_from_slice(format!("450 {text}\r\n").as_bytes());
        let reply = inbox.next().unwrap().unwrap();
        let _ = (reply.retry_after(), reply.enhanced());
        let whole = format!("450 {text}");
        prop_assert_eq!(reply.text(), whole.trim_ascii_end());
    }
}
