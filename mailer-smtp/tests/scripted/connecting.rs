use std::time::Duration;

use mailer_core::clock::{Clock, SystemClock};
use mailer_core::domain::HaltCause;
use mailer_core::transport::{ConnectError, Transport};
use mailer_smtp::SmtpTransport;
use testkit::{Rule, SmtpServer, Stage};

use crate::support::{deliver, outcome_at, refusal, server, short, transport};

async fn refused_by(rule: Rule) -> ConnectError {
    let server = server([rule]).await;
    refusal(transport(&server)).await
}

fn is_transient(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Transient { .. })
}

fn is_limited(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Limited { .. })
}

fn is_config(error: &ConnectError, expected: &HaltCause) -> bool {
    matches!(error, ConnectError::Config { cause, .. } if cause == expected)
}

#[tokio::test]
async fn refusals_before_the_first_mail() {
    for stage in [Stage::Connect, Stage::Ehlo] {
        let at = |code, text| refused_by(Rule::at(stage).reply(code, text));
        let limited = at(421, "4.7.0 too many connections, try again in 2 minutes").await;
        let wait = Some(Duration::from_secs(120));
        assert!(
            matches!(limited, ConnectError::Limited { retry_after, .. } if retry_after == wait),
            "{limited:?}"
        );
        assert!(is_limited(&at(421, "4.3.2 closed for now").await));
        assert!(is_transient(&at(421, "shutting down").await));
        assert!(is_config(
            &at(554, "no service").await,
            &HaltCause::SenderRefused
        ));
        assert!(is_transient(&refused_by(Rule::at(stage).cut()).await));
        assert!(is_transient(&refused_by(Rule::at(stage).reset()).await));
        assert!(is_transient(
            &refused_by(Rule::at(stage).reply_raw(*b"HTTP/1.1 400 Bad Request\r\n\r\n")).await
        ));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let mut server = server([]).await;
    server.stop().await;
    assert!(is_transient(&refusal(transport(&server)).await));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_trouble_that_may_pass() {
    let nowhere = SmtpTransport::builder("smtp://relay.invalid?tls=none");
    let error = refusal(nowhere).await;
    assert!(is_transient(&error), "{error:?}");
    assert!(error.to_string().contains("relay.invalid"), "{error}");
}

#[tokio::test]
async fn old_relays_get_helo() {
    let server = server([Rule::at(Stage::Ehlo).reply(502, "5.5.1 what?")]).await;
    assert_eq!(outcome_at(&server).await.code(), "sent");
    let lines = server.command_lines();
    assert!(
        lines.iter().any(|line| line.starts_with("HELO ")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn odd_greetings_are_understood() {
    for greeting in [&b"220\n"[..], b"220-one\r\n220 two\r\n", b"220 caf\xe9\r\n"] {
        let server = server([Rule::at(Stage::Connect).reply_raw(greeting)]).await;
        assert_eq!(outcome_at(&server).await.code(), "sent");
    }
}

#[tokio::test]
async fn hello_says_who_we_are() {
    let server = server([]).await;
    deliver(transport(&server), &["ann"]).await;
    deliver(
        transport(&server).hello_name("worker.shop.example"),
        &["ann"],
    )
    .await;
    let lines = server.command_lines();
    let hellos: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("EHLO"))
        .collect();
    assert_eq!(hellos, ["EHLO [127.0.0.1]", "EHLO worker.shop.example"]);
}

#[tokio::test]
async fn login() {
    let start = || SmtpServer::builder().auth("ann@shop", "s3c:ret");
    let url = |server: &SmtpServer, login: &str| {
        server.url().replace("smtp://", &format!("smtp://{login}@"))
    };
    let good = "ann%40shop:s3c%3Aret";

    for builder in [
        start(),
        start().rule(Rule::at(Stage::Ehlo).reply(250, "relay\nAUTH LOGIN")),
    ] {
        let server = builder.start().await.unwrap();
        let delivered = deliver(SmtpTransport::builder(&url(&server, good)), &["ann"]).await;
        assert_eq!(delivered.codes(), ["sent"], "{delivered:?}");
        assert_eq!(server.connections()[0].user.as_deref(), Some("ann@shop"));
    }

    let server = start().start().await.unwrap();
    let wrong = refusal(SmtpTransport::builder(&url(&server, "ann:wr0ng"))).await;
    assert!(is_config(&wrong, &HaltCause::BadCredentials), "{wrong:?}");
    let none = deliver(transport(&server), &["ann"]).await;
    assert_eq!(none.codes(), ["permanent_config"], "{none:?}");

    let refused = async |rule: Rule| {
        let server = start().rule(rule).start().await.unwrap();
        refusal(SmtpTransport::builder(&url(&server, good))).await
    };
    let told =
        refused(Rule::at(Stage::Auth).reply(535, "5.7.8 s3c:ret is not your password")).await;
    assert!(is_config(&told, &HaltCause::BadCredentials));
    assert!(!told.to_string().contains("s3c:ret"), "{told}");
    assert!(is_transient(
        &refused(Rule::at(Stage::Auth).reply(454, "4.7.0 later")).await
    ));
    assert!(is_transient(
        &refused(Rule::at(Stage::Auth).reply(421, "4.7.0 too many")).await
    ));
    assert!(is_transient(&refused(Rule::at(Stage::Auth).cut()).await));
    let offers_nothing = refused(Rule::at(Stage::Ehlo).reply(250, "relay\nAUTH GSSAPI")).await;
    assert!(is_config(&offers_nothing, &HaltCause::BadCredentials));
}

#[tokio::test]
async fn silence_before_the_first_mail_is_bounded() {
    for stage in [Stage::Connect, Stage::Ehlo, Stage::Helo, Stage::Auth] {
        let mut rules = vec![Rule::at(stage).stall()];
        if stage == Stage::Helo {
            rules.push(Rule::at(Stage::Ehlo).reply(502, "5.5.1 what?"));
        }
        let server = SmtpServer::builder()
            .auth("u", "p")
            .rules(rules)
            .start()
            .await
            .unwrap();
        let url = server.url().replace("smtp://", "smtp://u:p@");
        let started = SystemClock.monotonic();
        assert!(is_transient(
            &refusal(
                SmtpTransport::builder(&url)
                    .connections(1)
                    .time_limits(short())
            )
            .await
        ));
        assert!(
            SystemClock.monotonic() - started < Duration::from_secs(3),
            "{stage:?}"
        );
    }
}

#[tokio::test]
async fn more_connections_than_allowed_are_refused_in_time() {
    let server = server([]).await;
    let mut limits = short();
    limits.connect = Duration::from_millis(200);
    let transport = transport(&server)
        .connections(2)
        .time_limits(limits)
        .build()
        .unwrap();
    let first = transport.connect().await.unwrap();
    let _second = transport.clone().connect().await.unwrap();
    let third = transport.connect().await.map(drop);
    assert_eq!(third, Err(ConnectError::Full { most: 2 }));
    drop(first);
    assert!(transport.connect().await.is_ok());
}

#[test]
fn built_and_dropped_without_a_runtime() {
    for url in [
        "smtps://u:p@relay.example",
        "smtp://relay.example?tls=required",
        "smtp://localhost",
    ] {
        let transport = SmtpTransport::from_url(url).unwrap();
        assert_eq!(transport.max_connections(), 8);
        assert!(!format!("{transport:?}").contains("\"p\""));
    }
    let refused =
        |builder: mailer_smtp::SmtpTransportBuilder| builder.build().unwrap_err().to_string();
    let start = || SmtpTransport::builder("smtps://relay.example");
    assert!(refused(start().connections(0)).contains("connections"));
    assert!(refused(start().messages_per_connection(0)).contains("messages_per_connection"));
    assert!(refused(start().idle_timeout(Duration::ZERO)).contains("idle_timeout"));
    assert!(refused(start().connection_age(Duration::ZERO)).contains("connection_age"));
    assert!(refused(start().hello_name("a b\r\nMAIL")).contains("EHLO"));
    assert!(refused(start().trust_pem("nothing")).contains("certificate"));
}
