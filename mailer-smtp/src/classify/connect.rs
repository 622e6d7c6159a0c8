//! Before the greeting: errors of the resolver and of the machine.

use std::io;

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// The relay's name does not exist, says who must know.
    NoSuchName,
    /// This machine has no socket, buffer or port left for it.
    Ourselves,
    /// The relay, or the way to it.
    Relay,
}

/// What an error of the resolver means.
pub(crate) fn classify_lookup(error: &io::Error) -> Unreached {
    match classify_connect(error) {
        Unreached::Relay if says_no_such_name(error) => Unreached::NoSuchName,
        other => other,
    }
}

/// What an error of `connect` means.
pub(crate) fn classify_connect(error: &io::Error) -> Unreached {
    let is_ours = matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory
    ) || error
        .raw_os_error()
        .is_some_and(|code| OUT_OF_SOCKETS.contains(&code));
    if is_ours {
        Unreached::Ourselves
    } else {
        Unreached::Relay
    }
}

/// ENFILE, EMFILE and ENOBUFS: std has no kinds for them.
const OUT_OF_SOCKETS: &[i32] = if cfg!(windows) {
    &[10_024, 10_055]
} else if cfg!(target_os = "linux") {
    &[23, 24, 105]
} else {
    &[23, 24, 55]
};

/// std passes the resolver's answer on as words only. These are what glibc, musl, the BSDs and Windows say when the name,
/// or an address of it, does not exist; a resolver that could not ask says something else. No locale is ever set, so they
/// are not translated.
fn says_no_such_name(error: &io::Error) -> bool {
    const HOST_NOT_FOUND: i32 = 11_001;
    if cfg!(windows) && error.raw_os_error() == Some(HOST_NOT_FOUND) {
        return true;
    }
    let words = error.to_string();
    [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "Name has no usable address",
        "nodename nor servname provided, or not known",
        "no address associated with name",
    ]
    .iter()
    .any(|no_such_name| words.contains(no_such_name))
}
