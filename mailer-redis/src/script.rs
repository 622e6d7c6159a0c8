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

/// The text of files in `lua`.
macro_rules! parts {
    ($($part:literal)+) => {
        &[$(include_str!(concat!("lua/", $part, ".lua"))),+]
    };
}

/// A script of groups of parts and of parts of its own, one after the other.
macro_rules! script {
    ($name:ident: $($group:ident)* [$($part:literal)+]) => {
        pub(crate) static $name: Script = Script {
            name: stringify!($name),
            compiled: LazyLock::new(|| compile(&[$($group,)* parts!($($part)+)])),
        };
    };
}

/// Several parts that go together.
type Parts = &'static [&'static str];

// Every call begins with reading its script, and each function in it costs: so a script has only the parts that it needs.
const ARGUMENTS: Parts = parts!("arguments");
const GUARDED: Parts = parts!("arguments" "guard");
const STREAMS: Parts = parts!("marks" "streams");
const PAGES: Parts = parts!("pages");
const STEPS: Parts = parts!("steps" "waits" "order" "finish");
const DEFERRING: Parts = parts!("deferring");
const CLAIMS: Parts = parts!("claims");
const ENDS: Parts = parts!("ends");
const CALENDAR: Parts = parts!("counters" "calendar");
const OTHER_KINDS: Parts = parts!("rolling" "pace");
const LIMITS: Parts = parts!("limits");

// The limiter, which also stands alone.
script!(RESERVE: ARGUMENTS CALENDAR OTHER_KINDS LIMITS ["reserve"]);
script!(REFUND: ARGUMENTS CALENDAR OTHER_KINDS LIMITS ["refund"]);
script!(USAGE: ARGUMENTS CALENDAR OTHER_KINDS LIMITS ["usage"]);

// The namespace and its policy.
script!(OPEN: ARGUMENTS ["open"]);
script!(POLICY: GUARDED ["news" "policy"]);
script!(READ_POLICY: GUARDED ["read_policy"]);

// What goes in.
script!(CREATE: GUARDED ["make" "create"]);
script!(APPEND: GUARDED STREAMS ["load" "append"]);
script!(SEAL: GUARDED STREAMS PAGES STEPS ["load" "news" "seal"]);
script!(ENQUEUE: GUARDED STREAMS PAGES STEPS ["make" "news" "enqueue"]);

// What workers do.
script!(CLAIM: GUARDED STREAMS PAGES STEPS DEFERRING CLAIMS ["serving" "hours" "claim"]);
script!(GO_CALENDAR: GUARDED STREAMS PAGES CLAIMS CALENDAR LIMITS ["hours" "scarce" "go"]);
script!(GO: GUARDED STREAMS PAGES CLAIMS CALENDAR OTHER_KINDS LIMITS ["hours" "scarce" "go"]);
script!(
    BEGIN: GUARDED STREAMS PAGES STEPS DEFERRING CLAIMS ENDS CALENDAR OTHER_KINDS LIMITS ["hours" "scarce" "begin"]
);
script!(SETTLE: GUARDED STREAMS PAGES STEPS CLAIMS ENDS ["news" "runs" "settle" "settled"]);
script!(
    SETTLE_MORE: GUARDED STREAMS PAGES STEPS DEFERRING CLAIMS ENDS CALENDAR OTHER_KINDS LIMITS
        ["asked" "news" "runs" "check_back" "settle" "give_back" "settled"]
);
script!(TICK: GUARDED STREAMS PAGES STEPS CLAIMS ENDS ["serving" "news" "forget" "tidy" "tick"]);
script!(SPEC: GUARDED ["spec"]);

// How the host steers.
script!(DEFER: GUARDED STREAMS PAGES STEPS DEFERRING ["asked" "defer"]);
script!(RESUME: GUARDED STREAMS PAGES STEPS ["news" "resume"]);
script!(HOLD: GUARDED STREAMS PAGES STEPS ["news" "hold"]);
script!(RESOLVE: GUARDED STREAMS PAGES STEPS CLAIMS ENDS ["news" "resolve"]);
script!(PURGE: GUARDED STREAMS PAGES STEPS CLAIMS ENDS ["forget" "purge"]);
script!(TRASH: GUARDED STREAMS PAGES STEPS CLAIMS ENDS ["forget" "trash"]);

// What is shown.
script!(SHOW: GUARDED STREAMS PAGES STEPS ["show"]);
script!(CAMPAIGNS: GUARDED ["campaigns"]);
script!(OUTCOMES: GUARDED STREAMS PAGES ["outcomes"]);
script!(UNKNOWN: GUARDED STREAMS ["unknown"]);

/// What every store must agree on comes from mailer-core, so that a script cannot differ.
fn compile(groups: &[Parts]) -> Compiled {
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
        ("BEHIND_OTHERS", term::BEHIND_OTHERS),
    ] {
        let micros = length.num_microseconds().unwrap_or(i64::MAX);
        source += &format!("local {name} = {micros}\n");
    }
    for (name, number) in [
        ("MOST_DOUBTS", u64::from(term::MOST_DOUBTS)),
        ("REAPS_BEFORE_SINGLE", u64::from(term::REAPS_BEFORE_SINGLE)),
        ("CRASHES", u64::from(term::CRASHES)),
        ("RECENT", u64::from(term::RECENT)),
        ("BLOCKS_OF_RECENT", u64::from(term::BLOCKS_OF_RECENT)),
        ("BLOCKS_IN_A_ROW", u64::from(term::BLOCKS_IN_A_ROW)),
        ("TROUBLES", u64::from(term::TROUBLES)),
        ("SERVICE_UNIT", term::SERVICE_UNIT),
        ("FEW_TOKENS", u64::from(term::FEW_TOKENS)),
        ("PAGE_SIZE", u64::try_from(PAGE_SIZE).unwrap_or(u64::MAX)),
    ] {
        source += &format!("local {name} = {number}\n");
    }
    source.extend(groups.iter().copied().flatten().copied());
    Compiled::new(&source)
}
