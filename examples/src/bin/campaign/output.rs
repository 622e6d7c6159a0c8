//! What is written: results to stdout, everything else to stderr. A reader that has gone away is no error.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _, stderr, stdout};

use serde::Serialize;

use crate::failure::Failure;

/// A line of the result.
pub(crate) fn say(line: impl Display) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A line beside the result.
pub(crate) fn note(line: impl Display) {
    let _gone = writeln!(stderr().lock(), "{line}");
}

/// The result as one line of JSON.
pub(crate) fn json(result: &impl Serialize) -> Result<(), Failure> {
    say(serde_json::to_string(result)?)
}
