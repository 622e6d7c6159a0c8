use crate::reply::Reply;

/// The words of a reply, in lower case.
pub(super) fn words(reply: Reply<'_>) -> String {
    reply.text().to_ascii_lowercase()
}

pub(super) fn about_rates(text: &str) -> bool {
    has_any(
        text,
        &[
            "too many",
            "too much",
            "too fast",
            "too quickly",
            "rate limit",
            "rate-limit",
            "ratelimit",
            "rate exceeded",
            "sending rate",
            "unusual rate",
            "throttl",
            "slow down",
            "quota exceeded",
            "limit exceeded",
            "exceeded the limit",
        ],
    )
}

pub(super) fn about_policy(text: &str) -> bool {
    has_any(
        text,
        &[
            "spam",
            "block",
            "policy",
            "denied",
            "blacklist",
            "denylist",
            "reputation",
            "dnsbl",
            "rbl",
            "banned",
            "spf",
            "dkim",
            "dmarc",
            "prohibit",
            "authenticat",
            "authorized",
            "authorised",
            "not allowed",
            "not permitted",
        ],
    )
}

/// The relay refuses whom the mail is from. Not every refusal that mentions a sender: a recipient may have blocked one.
pub(super) fn about_sender(text: &str) -> bool {
    has_any(text, &["sender address rejected", "sender verif"])
}

/// The relay does not relay for us: a matter of the account, not of the recipient.
pub(super) fn about_relaying(text: &str) -> bool {
    has_any(
        text,
        &[
            "relay access denied",
            "relaying denied",
            "relay denied",
            "relay not permitted",
            "relaying not allowed",
            "not permitted to relay",
            "unable to relay",
            "we do not relay",
            "prohibited by administrator",
        ],
    )
}

pub(super) fn about_greylisting(text: &str) -> bool {
    has_any(text, &["greylist", "graylist", "grey-list", "gray-list"])
}

pub(super) fn about_recipients(text: &str) -> bool {
    has_any(text, &["too many recipients"])
}

pub(super) fn about_tls(text: &str) -> bool {
    has_any(text, &["starttls", "tls", "encrypt", "ssl"])
}

fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}
