use std::sync::Arc;

use mailer_core::conformance::transport::{Delivered, Rig};
use mailer_core::transport::ConnectError;
use mailer_smtp::{SmtpTransport, SmtpTransportBuilder};

/// One connection, with long enough deadlines for a busy machine.
pub(crate) fn transport(url: &str) -> SmtpTransportBuilder {
    SmtpTransport::builder(url).connections(1)
}

pub(crate) async fn deliver<N: Into<String>>(
    transport: SmtpTransportBuilder,
    names: impl IntoIterator<Item = N>,
) -> Delivered {
    Rig::new(Arc::new(transport.build().unwrap()))
        .deliver(names)
        .await
}

/// The outcomes of two mails, or why there is no connection.
pub(crate) async fn codes(transport: SmtpTransportBuilder) -> Vec<String> {
    let delivered = deliver(transport, ["ann", "bob"]).await;
    match delivered.refused.first() {
        None => delivered.codes().into_iter().map(str::to_owned).collect(),
        Some(ConnectError::Transient { .. }) => vec!["refused: transient".to_owned()],
        Some(ConnectError::Full { .. }) => vec!["refused: full".to_owned()],
        Some(ConnectError::Limited { .. }) => vec!["refused: limited".to_owned()],
        Some(ConnectError::Config { cause, .. }) => vec![cause.code().to_owned()],
    }
}
