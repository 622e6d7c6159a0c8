use std::sync::Arc;

use mailer_core::conformance::transport::{Fault, Relay};
use mailer_core::transport::Transport;
use mailer_smtp::SmtpTransport;
use testkit::{Rule, SmtpServer, Stage};

use crate::support::{server, short};

#[derive(Debug)]
struct Scripted {
    server: SmtpServer,
    transport: SmtpTransport,
}

impl Relay for Scripted {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.transport.clone())
    }

    fn mails(&self) -> Vec<String> {
        self.server
            .mails()
            .into_iter()
            .flat_map(|mail| mail.to)
            .collect()
    }

    fn begun(&self) -> usize {
        let lines = self.server.command_lines();
        lines.iter().filter(|line| line.starts_with("MAIL")).count()
    }

    fn connections(&self) -> usize {
        self.server.connections().len()
    }

    fn peak(&self) -> usize {
        self.server.connections_peak()
    }
}

async fn scripted(fault: Fault) -> Scripted {
    let rule = match fault {
        Fault::None => None,
        Fault::RefusesRecipient(address) => Some(
            Rule::at(Stage::Rcpt)
                .to(address)
                .reply(550, "5.1.1 no such user"),
        ),
        Fault::RefusesMessage(address) => Some(
            Rule::at(Stage::Dot)
                .to(address)
                .reply(554, "5.7.1 not wanted"),
        ),
        Fault::ClosesAfterDot => Some(Rule::at(Stage::Dot).nth(1).cut()),
        Fault::ClosesBeforeBody => Some(Rule::at(Stage::Data).cut()),
        Fault::BreaksInBody => Some(Rule::at(Stage::Body(100)).reset()),
        Fault::ClosesKept => Some(Rule::at(Stage::Mail).on_connection(1).nth(2).cut()),
        Fault::NoGreeting => Some(Rule::at(Stage::Connect).stall()),
        Fault::NoVerdict => Some(Rule::at(Stage::Dot).stall()),
    };
    let server = server(rule).await;
    let builder = SmtpTransport::builder(&server.url()).connections(4);
    let builder = match fault {
        Fault::NoGreeting | Fault::NoVerdict => builder.time_limits(short()),
        _ => builder,
    };
    Scripted {
        transport: builder.build().unwrap(),
        server,
    }
}

mailer_core::transport_conformance!(scripted);
