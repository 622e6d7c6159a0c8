//! Before `MAIL FROM`: replies that decide about a connection.

use super::words::{about_rates, words};
use super::{Class, HaltKind};
use crate::reply::{Enhanced, Reply};

pub(super) fn greeting(reply: Reply<'_>) -> Class {
    match (reply.code(), reply.enhanced()) {
        (..300, _) => Class::Accepted,
        (400..500, Some(Enhanced { subject: 7, .. })) => Class::RelayLimited,
        #[rustfmt::skip]
        (400..500, Some(Enhanced { subject: 3, detail: 2, .. })) => Class::RelayLimited,
        (400..500, _) if about_rates(&words(reply)) => Class::RelayLimited,
        (..500, _) => Class::TransientRelay,
        (500.., _) => Class::PermanentConfig(HaltKind::Sender),
    }
}

pub(super) fn start_tls(reply: Reply<'_>) -> Class {
    match reply.code() {
        ..300 => Class::Accepted,
        300..500 => Class::TransientRelay,
        500.. => Class::PermanentConfig(HaltKind::Tls),
    }
}

pub(super) fn auth(reply: Reply<'_>) -> Class {
    match reply.code() {
        ..300 => Class::Accepted,
        300..500 => Class::TransientRelay,
        500.. => Class::PermanentConfig(HaltKind::Credentials),
    }
}
