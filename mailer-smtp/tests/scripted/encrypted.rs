use mailer_core::domain::HaltCause;
use mailer_core::transport::ConnectError;
use mailer_smtp::{SmtpTransport, SmtpTransportBuilder};
use testkit::{Certificate, Rule, SmtpServer, SmtpServerBuilder, Stage};

use crate::support::{deliver, refusal, short};

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::for_names(&[name]).unwrap()
}

fn implicit() -> SmtpServerBuilder {
    SmtpServer::builder().implicit_tls(certificate("127.0.0.1"))
}

fn starttls() -> SmtpServerBuilder {
    SmtpServer::builder().starttls(certificate("127.0.0.1"))
}

/// A transport that trusts the server's authority.
pub(crate) fn trusting(server: &SmtpServer) -> SmtpTransportBuilder {
    blind(server).trust_pem(server.ca_pem().unwrap())
}

pub(crate) fn blind(server: &SmtpServer) -> SmtpTransportBuilder {
    let url = server.url().replace("://", "://u:p@");
    let query = if url.starts_with("smtps") {
        ""
    } else {
        "?tls=required"
    };
    SmtpTransport::builder(&format!("{url}{query}")).connections(1)
}

fn is_tls_refused(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Config {
            cause: HaltCause::TlsRefused,
            ..
        }
    )
}

#[tokio::test]
async fn both_ways_of_tls_with_login() {
    for builder in [implicit(), starttls()] {
        let server = builder.auth("u", "p").start().await.unwrap();
        let delivered = deliver(trusting(&server), &["ann", "bob"]).await;
        assert_eq!(delivered.codes(), ["sent", "sent"], "{delivered:?}");
        let connections = server.connections();
        assert_eq!(connections.len(), 1);
        assert!(connections[0].tls);
        assert_eq!(connections[0].user.as_deref(), Some("u"));
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    for wrong in [
        SmtpServer::builder().implicit_tls(certificate("other.example")),
        SmtpServer::builder().starttls(certificate("other.example")),
    ] {
        let server = wrong.auth("u", "p").start().await.unwrap();
        let error = refusal(trusting(&server)).await;
        assert!(is_tls_refused(&error), "{error:?}");
    }
    let server = implicit().start().await.unwrap();
    let error = refusal(blind(&server)).await;
    assert!(is_tls_refused(&error), "{error:?}");
}

#[tokio::test]
async fn there_is_no_way_back_to_clear_text() {
    // A relay without STARTTLS, or somebody who hides it.
    let server = SmtpServer::builder().auth("u", "p").start().await.unwrap();
    let error = refusal(blind(&server)).await;
    assert!(is_tls_refused(&error), "{error:?}");
    let lines = server.command_lines();
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")),
        "{lines:?}"
    );

    let refused = async |rule: Rule| {
        let server = starttls().rule(rule).start().await.unwrap();
        refusal(trusting(&server).time_limits(short())).await
    };
    assert!(is_tls_refused(
        &refused(Rule::at(Stage::StartTls).reply(502, "5.5.1 no")).await
    ));
    // Commands that were slipped in behind the answer, to be believed under TLS.
    let injected = Rule::at(Stage::StartTls).reply_raw(*b"220 go\r\n250 injected\r\n");
    assert!(is_tls_refused(&refused(injected).await));
}

#[tokio::test]
async fn trouble_in_the_handshake_passes() {
    let refused = async |builder: SmtpServerBuilder, rule: Rule| {
        let server = builder.rule(rule).start().await.unwrap();
        refusal(trusting(&server).time_limits(short())).await
    };
    let cases = [
        (
            starttls(),
            Rule::at(Stage::StartTls).reply(454, "4.7.0 not now"),
        ),
        (starttls(), Rule::at(Stage::StartTls).cut()),
        (starttls(), Rule::at(Stage::Tls).cut()),
        (starttls(), Rule::at(Stage::StartTls).stall()),
        (starttls(), Rule::at(Stage::Tls).stall()),
        (starttls(), Rule::at(Stage::Ehlo).nth(2).stall()),
        (implicit(), Rule::at(Stage::Tls).cut()),
        (implicit(), Rule::at(Stage::Tls).stall()),
        (
            implicit(),
            Rule::at(Stage::Tls).reply(421, "4.3.2 in clear text"),
        ),
    ];
    for (builder, rule) in cases {
        let told = format!("{rule:?}");
        let error = refused(builder, rule).await;
        assert!(
            matches!(error, ConnectError::Transient { .. }),
            "{error:?} {told}"
        );
    }
}
