use std::time::Duration;

use super::Class;
use super::transaction::subject_detail;
use super::words::{about_greylisting, words};
use crate::reply::Reply;

/// Greylisting lets a mail through when it comes again after about this long (RFC 6647 section 2.2).
const GREYLISTED: Duration = Duration::from_secs(300);
/// A mailbox that is full, or gets too much, is not better a few minutes later.
const OVERFILLED: Duration = Duration::from_secs(3_600);

/// The least wait: what the relay asks for, or what refusals of this kind need.
pub(super) fn wait(class: Class, reply: Reply<'_>) -> Option<Duration> {
    match class {
        Class::RelayLimited => reply.retry_after(),
        Class::TransientRecipient => reply.retry_after().or_else(|| usual(reply)),
        Class::Accepted
        | Class::PermanentRecipient
        | Class::PermanentMessage
        | Class::PolicyBlock
        | Class::PermanentConfig(_)
        | Class::TransientRelay
        | Class::Misunderstood
        | Class::Unknown => None,
    }
}

fn usual(reply: Reply<'_>) -> Option<Duration> {
    match (reply.code(), subject_detail(reply)) {
        (552, _) | (_, Some((2, 1 | 2))) => Some(OVERFILLED),
        (450 | 451, Some((7, 1))) => Some(GREYLISTED),
        _ => about_greylisting(&words(reply)).then_some(GREYLISTED),
    }
}
