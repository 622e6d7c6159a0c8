//! From `MAIL FROM` to the final dot: replies that decide about a mail.

use super::words::{
    about_greylisting, about_policy, about_rates, about_recipients, about_relaying, about_sender,
    about_tls, words,
};
use super::{Class, HaltKind};
use crate::reply::{Enhanced, Reply};

pub(super) fn mail(reply: Reply<'_>) -> Class {
    match (reply.code(), subject_detail(reply)) {
        (..300, _) => Class::Accepted,
        (421, _) => closing(reply),
        (400..500, Some((7, _))) => Class::RelayLimited,
        (..500, _) => Class::TransientRelay,
        (530 | 538, _) => unwelcome(reply),
        (552, _) | (_, Some((3, 4))) => Class::PermanentMessage,
        (_, Some((1, 7 | 8) | (7, _))) => Class::PermanentConfig(HaltKind::Sender),
        (500..=504 | 555, _) => Class::Misunderstood,
        (500.., _) => Class::PermanentConfig(HaltKind::Sender),
    }
}

pub(super) fn rcpt(reply: Reply<'_>) -> Class {
    match reply.code() {
        ..300 => Class::Accepted,
        300..400 => Class::TransientRelay,
        421 => closing(reply),
        400..500 => rcpt_for_now(reply),
        500.. => rcpt_for_good(reply),
    }
}

fn rcpt_for_now(reply: Reply<'_>) -> Class {
    let text = words(reply);
    match (reply.code(), subject_detail(reply)) {
        (_, Some((2, 1 | 2))) | (450 | 451, Some((7, 1))) => Class::TransientRecipient,
        _ if about_greylisting(&text) => Class::TransientRecipient,
        _ if is_of_the_sender(reply, &text) => Class::TransientRelay,
        // Postfix says so while it knows neither the client nor the domain.
        _ if about_relaying(&text) => Class::TransientRelay,
        _ if is_one_too_many(reply, &text) => Class::RelayLimited,
        (_, Some((7, 28) | (3, 2))) => Class::RelayLimited,
        (_, Some((7, _))) if about_rates(&text) => Class::RelayLimited,
        _ => Class::TransientRecipient,
    }
}

fn rcpt_for_good(reply: Reply<'_>) -> Class {
    let text = words(reply);
    match (reply.code(), subject_detail(reply)) {
        (530 | 538, _) => unwelcome(reply),
        _ if is_one_too_many(reply, &text) => Class::RelayLimited,
        _ if about_relaying(&text) || is_of_the_sender(reply, &text) => {
            Class::PermanentConfig(HaltKind::Sender)
        }
        (_, Some((2, 3) | (3, 4))) => Class::PermanentMessage,
        (552, _) | (_, Some((2, 2))) => Class::TransientRecipient,
        (550 | 551 | 553, Some((1, 1 | 2 | 3 | 6 | 10) | (2, 1))) => Class::PermanentRecipient,
        (550, None) if !about_policy(&text) => Class::PermanentRecipient,
        (_, Some((7, _))) => Class::PolicyBlock,
        _ if about_policy(&text) => Class::PolicyBlock,
        (_, Some((6, 7) | (1 | 2, _))) => Class::PermanentRecipient,
        // 501, 504 and 555 are said of addresses, too.
        (500 | 502 | 503, _) => Class::Misunderstood,
        _ => Class::PolicyBlock,
    }
}

/// Relays judge the sender here, too: Postfix at the first recipient (`smtpd_delay_reject`), Exim where its rules stand.
fn is_of_the_sender(reply: Reply<'_>, text: &str) -> bool {
    matches!(subject_detail(reply), Some((1, 7 | 8))) || about_sender(text)
}

/// Too many recipients, says a relay that was given one: it counts over several mails. RFC 5321 section 4.5.3.1.10 takes
/// 552 for 452 here.
fn is_one_too_many(reply: Reply<'_>, text: &str) -> bool {
    let says_so = matches!(subject_detail(reply), Some((5, 3))) || about_recipients(text);
    says_so && matches!(reply.code(), 452 | 552)
}

pub(super) fn data(reply: Reply<'_>) -> Class {
    match (reply.code(), subject_detail(reply)) {
        (300..400, _) => Class::Accepted,
        (421, _) => closing(reply),
        (400..500, Some((7, _))) => Class::RelayLimited,
        (..500, _) => Class::TransientRelay,
        (..=504, _) => Class::Misunderstood,
        (530 | 538, _) => unwelcome(reply),
        (505.., _) => Class::PolicyBlock,
    }
}

pub(super) fn body(reply: Reply<'_>) -> Class {
    match (reply.code(), subject_detail(reply)) {
        (421, _) => closing(reply),
        (400..500, Some((7, _))) => Class::RelayLimited,
        (..500, _) => Class::TransientRelay,
        (_, Some((3, 4) | (6, _))) | (552, _) => Class::PermanentMessage,
        (..=504, _) => Class::TransientRelay,
        (505.., _) => Class::PolicyBlock,
    }
}

pub(super) fn dot(reply: Reply<'_>) -> Class {
    match (reply.code(), subject_detail(reply)) {
        (..300, _) => Class::Accepted,
        (..400, _) => Class::Unknown,
        (421, _) => closing(reply),
        (..500, Some((7, _))) => Class::RelayLimited,
        (..500, Some((3, _))) => Class::TransientRelay,
        (..500, _) => Class::TransientRecipient,
        (_, Some((1, 1 | 2 | 3 | 6 | 10))) => Class::PermanentRecipient,
        (_, Some((1, 7 | 8))) => Class::PermanentConfig(HaltKind::Sender),
        (552, _) | (_, Some((3, 4) | (6, _))) => Class::PermanentMessage,
        (500.., _) => Class::PolicyBlock,
    }
}

/// 421: the relay closes the connection.
fn closing(reply: Reply<'_>) -> Class {
    let is_policy = matches!(subject_detail(reply), Some((7, _)));
    if is_policy || about_rates(&words(reply)) {
        Class::RelayLimited
    } else {
        Class::TransientRelay
    }
}

/// 530 and 538: log in first, or encrypt first (RFC 4954 section 6, RFC 3207 section 4).
fn unwelcome(reply: Reply<'_>) -> Class {
    Class::PermanentConfig(if about_tls(&words(reply)) {
        HaltKind::Tls
    } else {
        HaltKind::Credentials
    })
}

pub(super) fn subject_detail(reply: Reply<'_>) -> Option<(u16, u16)> {
    reply.enhanced().map(
        |Enhanced {
             subject, detail, ..
         }| (subject, detail),
    )
}
