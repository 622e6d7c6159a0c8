//! The quick start: a program that sends a campaign under a policy. Its relay is a catcher, which keeps the mails.

use std::error::Error;
use std::io::{Write as _, stdout};

use mailer_core::domain::{Campaign, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::template::Template;
use mailer_core::{Mailer, Worker};
use mailer_smtp::SmtpTransport;
use testkit::Catcher;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mailer = Mailer::open(MemoryStore::new()).await?;
    let policy = Policy::new().limit("100/hour")?;
    mailer.init_policy(&policy).await?;

    let campaign = Campaign::new("spring-offer")
        .from("Shop <news@shop.example>")
        .template(Template::new("Hello {{ name }}").text("Dear {{ name }}, spring has come."));
    let recipients = [
        Recipient::new("ann@example.com").name("Ann"),
        Recipient::new("ben@example.org").name("Ben"),
    ];
    let spring = mailer.submit(&campaign, recipients).await?;

    // With a relay of your own: SmtpTransport::from_url("smtps://user:secret@relay.example:465")?
    let catcher = Catcher::start("outbox").await?;
    let worker = Worker::builder(&mailer)
        .relay("default", SmtpTransport::from_url(&catcher.url())?)
        .build()?;
    worker.run_until_idle().await;

    writeln!(stdout(), "{}", mailer.status(&spring.id).await?)?;
    Ok(())
}
