use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// As many characters in a row are no accident. Of a shorter secret it takes all.
const RUN: usize = 8;

/// What stands in place of words that are not told.
const HIDDEN: &str = "***";

/// `text` without the words that hold a part of a secret, in clear or in base64: a relay may repeat what it was given, and
/// what it says may have been cut, or split over lines, within it.
pub(super) fn redact(text: &str, secrets: &[&str]) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let (characters, places): (Vec<char>, Vec<usize>) = words
        .iter()
        .enumerate()
        .flat_map(|(place, word)| bare(word).into_iter().map(move |c| (c, place)))
        .unzip();
    let mut hidden: HashSet<usize> = HashSet::new();
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        let run = RUN.min(form.len());
        if run == 0 {
            continue;
        }
        let parts: HashSet<&[char]> = form.windows(run).collect();
        for (shown, words) in characters.windows(run).zip(places.windows(run)) {
            if parts.contains(shown) {
                hidden.extend(words);
            }
        }
    }
    let mut told: Vec<&str> = Vec::new();
    for (place, word) in words.into_iter().enumerate() {
        match hidden.contains(&place) {
            true if told.last() == Some(&HIDDEN) => {}
            true => told.push(HIDDEN),
            false => told.push(word),
        }
    }
    told.join(" ")
}

/// The ways in which a secret may come back.
fn forms(secret: &str) -> impl Iterator<Item = Vec<char>> {
    // A line that is not UTF-8 as a whole is read as Latin-1.
    let latin: String = secret.bytes().map(char::from).collect();
    // Behind other bytes, as in the response of AUTH PLAIN, base64 has another face for each of three places.
    let encoded = ["", "\0", "\0\0"].map(|before| STANDARD.encode(format!("{before}{secret}")));
    [secret.to_owned(), latin]
        .into_iter()
        .chain(encoded)
        .map(|form| bare(&form))
}

/// Without what a line break or a relay may change: blanks, control characters, case.
fn bare(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
