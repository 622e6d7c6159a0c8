//! What is left on the server when the campaigns are forgotten and the workers are gone.

use crate::Fallible;
use crate::scene::{NAMESPACE, Scene};

/// What outlives campaigns, and does not grow with them but for the tombstones: `ended` has the last 4,096 claims at most,
/// `relays` and `waits` a field for each relay and each scope that waits, `workers` those that were killed lately.
const STAYS: [&str; 7] = [
    "meta",
    "policy",
    "tombstones",
    "ended",
    "relays",
    "waits",
    "workers",
];

/// The keys that are left: their names, `name (type, seconds to live)`, and those that should not be there.
pub(crate) async fn keys(scene: &Scene) -> Fallible<(Vec<String>, Vec<String>)> {
    let script = "local found = {} \
        for _, key in ipairs(redis.call('KEYS', '*')) do \
          found[#found + 1] = redis.call('TTL', key) .. ' ' .. redis.call('TYPE', key).ok .. ' ' .. key \
        end \
        return table.concat(found, '\\0')";
    let reply = scene.redis.command(&["EVAL", script, "0"]).await?;
    let text = reply.split_once("\r\n").map_or("", |(_, text)| text);
    let mut left = Vec::new();
    let mut wrong = Vec::new();
    for line in text.trim_end_matches("\r\n").split('\0') {
        let mut parts = line.splitn(3, ' ');
        let (Some(ttl), Some(kind), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let name = key
            .strip_prefix(&format!("{{{NAMESPACE}}}:"))
            .unwrap_or(key);
        let passes = ttl.parse::<i64>().is_ok_and(|ttl| ttl >= 0);
        if !passes && !STAYS.contains(&name) {
            wrong.push(format!("{name:?} ({kind})"));
        }
        left.push(if passes {
            format!("{name} ({ttl} s)")
        } else {
            name.to_owned()
        });
    }
    left.sort_unstable();
    Ok((left, wrong))
}
