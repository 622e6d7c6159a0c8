use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::refused;
use crate::reply::Inbox;

/// No part of this length may be seen.
const RUN: usize = 8;

/// What is told of a refusal with these lines.
fn told(lines: &[String], secrets: &[&str]) -> String {
    let mut inbox = Inbox::default();
    let (last, others) = lines.split_last().unwrap();
    let others = others.iter().map(|line| format!("500-{line}\r\n"));
    let bytes: String = others.chain([format!("500 {last}\r\n")]).collect();
    inbox.space().extend_from_slice(bytes.as_bytes());
    let reply = inbox.next().unwrap().unwrap();
    refused(reply, secrets).to_string()
}

fn bare(text: &str) -> Vec<char> {
    let is_seen = |c: &char| !c.is_whitespace() && !c.is_control();
    text.chars().filter(is_seen).collect()
}

#[track_caller]
fn assert_hidden(told: &str, secret: &str) {
    let shown = bare(told);
    let of_secret = bare(secret);
    let run = RUN.min(of_secret.len());
    let seen = of_secret.windows(run).find(|part| {
        let mut places = shown.windows(run);
        places.any(|place| place == *part)
    });
    assert_eq!(seen, None, "{told:?}");
}

/// The text on several lines, each of them no longer than this.
fn split(text: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let lines = characters.chunks(width);
    lines.map(|line| line.iter().collect()).collect()
}

#[test]
fn words_without_a_secret_are_kept() {
    let said = ["5.7.8 bad credentials:  s3c:ret is over".to_owned()];
    assert_eq!(
        told(&said, &["s3c:ret"]),
        "500 5.7.8 bad credentials:  *** is over"
    );
    assert_eq!(told(&said, &["", "other"]), format!("500 {}", said[0]));
    let command = "unrecognized command \"AUTH PLAIN AHUAczNjcmV0cGFzcw==\"".to_owned();
    assert_eq!(
        told(&[command], &["AHUAczNjcmV0cGFzcw=="]),
        "500 unrecognized command \"AUTH PLAIN ***"
    );
}

#[test]
fn a_long_token_is_hidden_where_it_is_cut_or_split() {
    let secret: String = (0..3_000_u32)
        .map(|i| char::from(b'a' + (i * i % 7 + i % 19) as u8))
        .collect();
    let response = STANDARD.encode(format!("user=u\u{1}auth=Bearer {secret}\u{1}\u{1}"));
    let said = format!("unrecognized command \"AUTH XOAUTH2 {response}\"");
    for width in [4_000, 900, 76, 9, 5] {
        let shown = told(&split(&said, width), &[&response, &secret]);
        assert_hidden(&shown, &response);
    }
}

proptest! {
    #[test]
    fn no_part_of_a_secret_is_told(
        secret in prop_oneof!["[!-~]{8,40}", "[!-~ ]{8,40}", "\\PC{8,40}", "[!-)+-~]{1,7}", "[!-~]{300,900}"],
        form in 0_usize..6,
        before in "[a-z \"<]{0,30}",
        after in "[a-z \">]{0,30}",
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        width in 1_usize..200,
    ) {
        let joined = STANDARD.encode(format!("\0user\0{secret}"));
        let echoed = match form {
            0 => secret.clone(),
            1 => joined.clone(),
            2 => STANDARD.encode(&secret),
            // As part of something longer, at any place of the three.
            3 => STANDARD.encode(format!("x{secret}")),
            4 => STANDARD.encode(format!("xy{secret}")),
            _ => secret.to_ascii_uppercase(),
        };
        let characters: Vec<char> = echoed.chars().collect();
        let end = if is_cut { cut.index(characters.len() + 1) } else { characters.len() };
        let echoed: String = characters[..end].iter().collect();
        let said = format!("5.7.8 {before}{echoed}{after}");
        let shown = told(&split(&said, width), &[&joined, &secret]);
        // What is shown of other words is no part of it, unless they are the same by chance.
        if !said.replace(&echoed, "").to_lowercase().contains(&secret.to_lowercase()) {
            assert_hidden(&shown, &secret);
        }
        let encoded = [joined, STANDARD.encode(&secret)];
        for encoded in encoded.iter().filter(|encoded| encoded.len() >= RUN) {
            assert_hidden(&shown, encoded);
        }
    }
}
