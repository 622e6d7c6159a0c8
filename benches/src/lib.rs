//! What the benchmarks share: a campaign, its recipients, a relay that takes every mail at once, and what is counted.

pub mod asking;
pub mod contest;
mod null_relay;
mod redis_usage;
mod usage;
mod watched;

use mailer_core::domain::{Campaign, Recipient};
use mailer_core::template::Template;

pub use null_relay::NullRelay;
pub use redis_usage::{RedisUsage, script_times};
pub use usage::{peak_kib, per_mail, processor};
pub use watched::{Counts, Watched};

/// What a benchmark fails by.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A campaign whose mails greet by name; the text is about 2 KB, as that of `smtp-source -l 2048`.
#[must_use]
pub fn campaign(id: &str) -> Campaign {
    let text = format!("Dear {{{{ name }}}},\n\n{}", "Spring is here. ".repeat(125));
    Campaign::new(id)
        .from("Shop <news@shop.example>")
        .template(Template::new("Hello {{ name }}").text(text))
}

/// Recipients of 30 octets each: an address of 24 characters, and one merge field of 6.
pub fn recipients(count: u64) -> impl Iterator<Item = Recipient> + Send {
    (0..count).map(|i| {
        Recipient::new(format!("user{i:08}@example.com"))
            .field("name", format!("Ann {:02}", i % 100))
    })
}

/// The middle and the 99th of a hundred of what was measured, and the most. Zeros, if nothing was.
#[must_use]
pub fn spread<T: Ord + Copy + Default>(mut measured: Vec<T>) -> [T; 3] {
    measured.sort_unstable();
    let at = |percent: usize| {
        let place = (measured.len() * percent / 100).min(measured.len().saturating_sub(1));
        measured.get(place).copied().unwrap_or_default()
    };
    [at(50), at(99), at(100)]
}
