//! The scripts: each a verb, put together from the parts that it needs.

use std::sync::LazyLock;

use mailer_core::domain::PAGE_SIZE;
use mailer_core::schedule::term;
use redis::Script as Compiled;

/// A script that runs in one step on the server.
pub(crate) struct Script {
    /// The verb, as errors name it.
    pub(crate) name: &'static str,
    pub(crate) compiled: LazyLock<Compiled>,
}

/// A script of these files, one after the other.
macro_rules! script {
    ($name:ident: $($part:literal)+) => {
        pub(crate) static $name: Script = Script {
            name: stringify!($name),
            compiled: LazyLock::new(|| compile(&[$(include_str!(concat!("lua/", $part, ".lua"))),+])),
        };
    };
}

// The limiter, which also stands alone.
script!(RESERVE: "arguments" "counters" "calendar" "rolling" "pace" "limits" "reserve");
script!(REFUND: "arguments" "counters" "calendar" "rolling" "pace" "limits" "refund");
script!(USAGE: "arguments" "counters" "calendar" "rolling" "pace" "limits" "usage");

// The namespace and its policy.
script!(OPEN: "arguments" "open");
script!(POLICY: "arguments" "guard" "state" "waits" "policy");
script!(READ_POLICY: "arguments" "guard" "read_policy");

// What goes in.
script!(CREATE: "arguments" "guard" "state" "waits" "create");
script!(APPEND: "arguments" "guard" "state" "waits" "load" "append");
script!(SEAL: "arguments" "guard" "state" "waits" "load" "seal");
script!(ENQUEUE: "arguments" "guard" "state" "waits" "enqueue");

// What workers do.
script!(CLAIM: "arguments" "guard" "state" "waits" "order" "hours" "claims" "claim");
script!(BEGIN_CALENDAR: "arguments" "guard" "state" "waits" "hours" "claims" "counters" "calendar" "limits" "begin");
script!(
    BEGIN: "arguments" "guard" "state" "waits" "hours" "claims" "counters" "calendar" "rolling" "pace" "limits" "begin"
);
script!(SETTLE: "arguments" "guard" "state" "waits" "asked" "claims" "settle" "settled");
script!(
    SETTLE_WITH_TOKENS: "arguments" "guard" "state" "waits" "asked" "claims" "counters" "calendar" "rolling" "pace" "limits" "settle"
    "give_back" "settled"
);
script!(TICK: "arguments" "guard" "state" "waits" "order" "claims" "forget" "tick");
script!(SPEC: "arguments" "guard" "spec");

// How the host steers.
script!(DEFER: "arguments" "guard" "state" "waits" "asked" "defer");
script!(RESUME: "arguments" "guard" "state" "waits" "resume");
script!(HOLD: "arguments" "guard" "state" "waits" "hold");
script!(RESOLVE: "arguments" "guard" "state" "waits" "claims" "resolve");
script!(PURGE: "arguments" "guard" "state" "waits" "claims" "forget" "purge");
script!(TRASH: "arguments" "guard" "state" "waits" "claims" "forget" "trash");

// What is shown.
script!(SHOW: "arguments" "guard" "state" "waits" "show");
script!(CAMPAIGNS: "arguments" "guard" "campaigns");
script!(OUTCOMES: "arguments" "guard" "state" "outcomes");
script!(UNKNOWN: "arguments" "guard" "state" "unknown");

/// What every store must agree on comes from mailer-core, so that a script cannot differ.
fn compile(parts: &[&str]) -> Compiled {
    let mut source = String::new();
    for (name, length) in [
        ("LEASE", term::LEASE),
        ("SUSPECT_FOR", term::SUSPECT_FOR),
        ("LOAD_LEASE", term::LOAD_LEASE),
        ("DOT_WITHIN", term::DOT_WITHIN),
        ("REPLY_WITHIN", term::REPLY_WITHIN),
        ("SHORT_WAIT", term::SHORT_WAIT),
        ("DRAFT_FOR", term::DRAFT_FOR),
        ("OUTCOME_FOR", term::OUTCOME_FOR),
        ("TIDY_EVERY", term::TIDY_EVERY),
    ] {
        let micros = length.num_microseconds().unwrap_or(i64::MAX);
        source += &format!("local {name} = {micros}\n");
    }
    for (name, number) in [
        ("MOST_DOUBTS", u64::from(term::MOST_DOUBTS)),
        ("REAPS_BEFORE_SINGLE", u64::from(term::REAPS_BEFORE_SINGLE)),
        ("CRASHES", u64::from(term::CRASHES)),
        ("SERVICE_UNIT", term::SERVICE_UNIT),
        ("PAGE_SIZE", u64::try_from(PAGE_SIZE).unwrap_or(u64::MAX)),
    ] {
        source += &format!("local {name} = {number}\n");
    }
    source.extend(parts.iter().copied());
    Compiled::new(&source)
}
