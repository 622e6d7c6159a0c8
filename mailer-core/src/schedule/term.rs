//! How long things last: what every store must agree on.

use chrono::TimeDelta;

/// How long a lease lives without a tick.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long a lease that has run out stays its owner's, in case it was the store that was away.
pub const SUSPECT_FOR: TimeDelta = TimeDelta::seconds(15);
/// How long a loader that is silent keeps others out.
pub const LOAD_LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long after its begin a mail's final dot may leave.
pub const DOT_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// The longest that a relay's reply to the final dot is waited for (RFC 5321, 4.5.3.2.6).
pub const REPLY_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// A wait that is shorter than this is waited out by the worker, with the mail in hand: nothing is deferred.
pub const SHORT_WAIT: TimeDelta = TimeDelta::seconds(2);
/// Where fewer tokens are left, a gate says how many: more than one worker has connections, mostly.
pub const FEW_TOKENS: u32 = 256;
/// How long a draft is kept after its last page.
pub const DRAFT_FOR: TimeDelta = TimeDelta::hours(24);
/// How long the outcome of a single mail is kept.
pub const OUTCOME_FOR: TimeDelta = TimeDelta::hours(24);
/// How often old things are looked for.
pub const TIDY_EVERY: TimeDelta = TimeDelta::minutes(1);
/// After so many attempts that ended in doubt a mail is not sent again by itself: it may be what kills who sends it.
pub const MOST_DOUBTS: u32 = 3;
/// A page that was taken back so often is claimed one delivery at a time.
pub const REAPS_BEFORE_SINGLE: u32 = 2;
/// How many workers may fall silent over one delivery before it is given up.
pub const CRASHES: u32 = 3;
/// How many of a campaign's last verdicts are remembered.
pub const RECENT: u32 = 50;
/// More blocks than this among them halt it.
pub const BLOCKS_OF_RECENT: u32 = 10;
/// So many blocks in a row halt it.
pub const BLOCKS_IN_A_ROW: u32 = 10;
/// A mail that has met relay trouble so often, while the relay took others, has itself to blame.
pub const TROUBLES: u32 = 3;
/// A mail that met trouble while nobody got through is this much later than the others when the relay is tried again: it may
/// be the cause.
pub const BEHIND_OTHERS: TimeDelta = TimeDelta::seconds(2);
/// The units of service that one delivery of weight 1 is charged.
pub const SERVICE_UNIT: u64 = 1_000_000;
