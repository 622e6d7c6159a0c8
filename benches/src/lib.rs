//! What the benchmarks share: a campaign, its recipients, and a relay that takes every mail at once.

mod null_relay;

use mailer_core::domain::{Campaign, Recipient};
use mailer_core::template::Template;

pub use null_relay::NullRelay;

/// A campaign whose mails greet by name; the text is about 2 KB, as that of `smtp-source -l 2048`.
#[must_use]
pub fn campaign(id: &str) -> Campaign {
    let text = format!("Dear {{{{ name }}}},\n\n{}", "Spring is here. ".repeat(125));
    Campaign::new(id)
        .from("Shop <news@shop.example>")
        .template(Template::new("Hello {{ name }}").text(text))
}

/// Recipients with an address of 24 characters and one merge field.
pub fn recipients(count: u64) -> impl Iterator<Item = Recipient> + Send {
    (0..count).map(|i| {
        Recipient::new(format!("user{i:08}@example.com")).field("name", format!("User {i}"))
    })
}
