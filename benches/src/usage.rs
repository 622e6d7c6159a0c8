//! What this process has used. Linux only, else zeros.

use std::time::Duration;

/// The user and system time of this process, to a hundredth of a second.
#[must_use]
pub fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; after it, user time is field 12 and system time field 13.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let hundredths = ticks
        .filter_map(|field| field.parse::<u64>().ok())
        .sum::<u64>();
    Duration::from_millis(hundredths * 10)
}

/// The most memory that this process has had resident.
#[must_use]
pub fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// Microseconds for each of `count` mails.
#[must_use]
pub fn per_mail(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
