//! Whether two stores say the same.

use std::fmt::Debug;

/// What an answer says; of an error, its kind.
fn said<T: Debug>(answer: &Result<T, mailer_core::Error>) -> String {
    match answer {
        Ok(value) => format!("{value:#?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

pub(crate) fn same<T: Debug>(
    what: &str,
    memory: &Result<T, mailer_core::Error>,
    redis: &Result<T, mailer_core::Error>,
) {
    let (one, other) = (said(memory), said(redis));
    if one != other {
        let detail = redis
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default();
        panic!("{what}\nmemory: {one}\nredis: {other}\n{detail}");
    }
}
