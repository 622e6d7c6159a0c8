//! A transport of one's own: it writes the mails to stdout. Queue, limits and ledger are the same as with SMTP, and only
//! the engine can hand it a mail.

use std::error::Error;
use std::io::{Write as _, stdout};

use async_trait::async_trait;
use mailer_core::domain::{Campaign, Outcome, Policy, Recipient};
use mailer_core::memory::MemoryStore;
use mailer_core::template::Template;
use mailer_core::transport::{ConnectError, Session, Transport, Work};
use mailer_core::{Mailer, Worker};

#[derive(Debug)]
struct Printer;

#[async_trait]
impl Transport for Printer {
    fn max_connections(&self) -> usize {
        1
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectError> {
        Ok(Box::new(Self))
    }
}

#[async_trait]
impl Session for Printer {
    async fn serve(&mut self, work: &mut Work) {
        while let Some((permit, email)) = work.next().await {
            // A permit has its time: a late one goes back, and the mail comes again.
            let Ok(flight) = permit.begin() else {
                continue;
            };
            let written = writeln!(stdout(), "to {}: {}", email.to, email.draft.subject);
            flight.finish(match written {
                Ok(()) => Outcome::Sent {
                    reply: "printed".to_owned(),
                },
                Err(error) => Outcome::TransientRelay {
                    reply: error.to_string(),
                },
            });
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mailer = Mailer::open(MemoryStore::new()).await?;
    mailer.init_policy(&Policy::unlimited()).await?;
    let campaign = Campaign::new("hello")
        .from("shop@shop.example")
        .template(Template::new("Hello {{ name }}").text("..."));
    let recipients = ["Ann", "Ben"].map(|name| {
        let address = format!("{}@example.com", name.to_lowercase());
        Recipient::new(address).name(name)
    });
    let hello = mailer.submit(&campaign, recipients).await?;
    let worker = Worker::builder(&mailer).relay("default", Printer).build()?;
    worker.run_until_idle().await;
    writeln!(stdout(), "{}", mailer.status(&hello.id).await?)?;
    Ok(())
}
