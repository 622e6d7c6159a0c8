use std::sync::Arc;
use std::time::Duration;

use mailer_core::conformance::transport::{Delivered, Rig};
use mailer_core::domain::Outcome;
use mailer_core::transport::ConnectError;
use mailer_smtp::{SmtpTransport, SmtpTransportBuilder, TimeLimits};
use testkit::{Rule, SmtpServer};

/// Short enough for tests that wait them out.
pub(crate) fn short() -> TimeLimits {
    every(Duration::from_millis(300))
}

/// The same for every step.
pub(crate) fn every(step: Duration) -> TimeLimits {
    let mut limits = TimeLimits::default();
    limits.tls = step;
    limits.setup = step;
    limits.command = step;
    limits.block = step;
    limits.after_dot = step;
    limits.quit = step;
    limits
}

/// A transport with long enough deadlines for a busy machine.
pub(crate) fn transport(server: &SmtpServer) -> SmtpTransportBuilder {
    SmtpTransport::builder(&server.url()).connections(1)
}

pub(crate) async fn server(rules: impl IntoIterator<Item = Rule>) -> SmtpServer {
    SmtpServer::builder().rules(rules).start().await.unwrap()
}

pub(crate) async fn deliver(transport: SmtpTransportBuilder, names: &[&str]) -> Delivered {
    Rig::new(Arc::new(transport.build().unwrap()))
        .deliver(names.iter().copied())
        .await
}

/// The outcome of one mail to `ann@example.com` over this script.
pub(crate) async fn outcome(rules: impl IntoIterator<Item = Rule>) -> Outcome {
    let server = server(rules).await;
    outcome_at(&server).await
}

pub(crate) async fn outcome_at(server: &SmtpServer) -> Outcome {
    let mut delivered = deliver(transport(server), &["ann"]).await;
    assert_eq!(delivered.outcomes.len(), 1, "{delivered:?}");
    delivered.outcomes.remove(0).1
}

/// Why there is no connection to this server.
pub(crate) async fn refusal(transport: SmtpTransportBuilder) -> ConnectError {
    let mut delivered = deliver(transport, &["ann"]).await;
    assert_eq!(
        (delivered.outcomes.len(), delivered.refused.len()),
        (0, 1),
        "{delivered:?}"
    );
    delivered.refused.remove(0)
}
