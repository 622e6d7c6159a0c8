//! A policy under test: the real engine under virtual time. Two days pass in milliseconds, and nothing is sent.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::time::Duration;

use mailer_core::domain::{Campaign, Policy, Recipient};
use mailer_core::sim::Sim;
use mailer_core::template::Template;

fn main() -> Result<(), Box<dyn Error>> {
    // 17:30 in Moscow, half an hour before work ends.
    let sim = Sim::at("2026-11-24T14:30:00Z".parse()?);
    sim.run(async |sim| {
        let policy = Policy::new()
            .limit("100/hour")?
            .hours("Mon-Fri 09:00-18:00", "Europe/Moscow")?;
        sim.set_policy(&policy).await?;
        sim.start_worker();
        let campaign = Campaign::new("spring-offer")
            .from("Shop <news@shop.example>")
            .template(Template::new("Hello").text("Spring has come."));
        let recipients = (1..=250).map(|i| Recipient::new(format!("user{i}@example.com")));
        let spring = sim.mailer().submit(&campaign, recipients).await?;

        sim.advance(Duration::from_secs(60)).await;
        writeln!(
            stdout(),
            "a minute later  {}",
            sim.status(&spring.id).await?
        )?;
        let two_days = Duration::from_secs(2 * 86_400);
        let end = sim.until_finished(&spring.id, two_days).await?;
        writeln!(stdout(), "at the end      {end}")?;
        if let Some(at) = end.finished_at {
            writeln!(stdout(), "finished        {at}")?;
        }
        Ok(())
    })
}
