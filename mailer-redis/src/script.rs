//! The scripts: each a verb, put together from the parts that it needs.

use std::sync::LazyLock;

use redis::Script as Compiled;

/// A script that runs in one step on the server.
pub(crate) struct Script {
    /// The verb, as errors name it.
    pub(crate) name: &'static str,
    pub(crate) compiled: LazyLock<Compiled>,
}

/// A script of these files, one after the other. Limits are `counters`, `calendar`, `rolling`, `pace`, `limits`.
macro_rules! script {
    ($name:ident: $($part:literal)+) => {
        pub(crate) static $name: Script = Script {
            name: stringify!($name),
            compiled: LazyLock::new(|| Compiled::new(concat!($(include_str!(concat!("lua/", $part, ".lua"))),+))),
        };
    };
}

script!(RESERVE: "arguments" "counters" "calendar" "rolling" "pace" "limits" "reserve");
script!(REFUND: "arguments" "counters" "calendar" "rolling" "pace" "limits" "refund");
script!(USAGE: "arguments" "counters" "calendar" "rolling" "pace" "limits" "usage");
