//! AUTH XOAUTH2.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mailer_core::clock::{Clock, SystemClock};
use mailer_core::domain::HaltCause;
use mailer_core::transport::{ConnectError, Transport};
use mailer_smtp::{
    AccessToken, SmtpTransport, SmtpTransportBuilder, TokenError, TokenNeed, TokenSource,
};
use testkit::{Rule, SmtpServer, SmtpServerBuilder, Stage};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::support::{deliver, refusal, short};

/// Gives what it is told to for a login, and after a refusal; remembers what it was asked.
#[derive(Debug, Clone)]
struct Tokens {
    first: Option<&'static str>,
    second: &'static str,
    asked: Arc<Mutex<Vec<TokenNeed>>>,
}

impl Tokens {
    fn new(first: &'static str, second: &'static str) -> Self {
        Self {
            first: Some(first),
            second,
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> Vec<TokenNeed> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, need: TokenNeed) -> Result<AccessToken, TokenError> {
        self.asked.lock().unwrap().push(need);
        match (need, self.first) {
            (TokenNeed::Login, Some("never")) => pending().await,
            (TokenNeed::Login, Some(first)) => Ok(AccessToken::new(first)),
            (TokenNeed::Login, None) => Err("the vault is locked".into()),
            (TokenNeed::Refused, _) => Ok(AccessToken::new(self.second)),
        }
    }
}

fn guarded() -> SmtpServerBuilder {
    SmtpServer::builder().xoauth2("news@shop.example", "g00d")
}

fn transport(server: &SmtpServer, tokens: &Tokens) -> SmtpTransportBuilder {
    SmtpTransport::builder(&server.url())
        .connections(1)
        .xoauth2("news@shop.example", tokens.clone())
}

fn is_refused(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Config {
            cause: HaltCause::BadCredentials,
            ..
        }
    )
}

fn is_transient(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Transient { .. })
}

#[tokio::test]
async fn each_login_asks_for_a_token() {
    let server = guarded().start().await.unwrap();
    let tokens = Tokens::new("g00d", "unused");
    let transport = transport(&server, &tokens).messages_per_connection(1);
    let delivered = deliver(transport, &["ann", "bob"]).await;
    assert_eq!(delivered.codes(), ["sent", "sent"], "{delivered:?}");
    assert_eq!(tokens.asked(), [TokenNeed::Login; 2]);
    for connection in server.connections() {
        assert_eq!(connection.user.as_deref(), Some("news@shop.example"));
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = guarded().start().await.unwrap();
    let tokens = Tokens::new("0ld", "g00d");
    let delivered = deliver(transport(&server, &tokens), &["ann"]).await;
    assert_eq!(delivered.codes(), ["sent"], "{delivered:?}");
    assert_eq!(tokens.asked(), [TokenNeed::Login, TokenNeed::Refused]);
    assert_eq!(server.connections().len(), 1);
    let lines = server.command_lines();
    // The challenge in which the relay says why.
    assert_eq!(lines.iter().filter(|line| line.is_empty()).count(), 1);

    let tokens = Tokens::new("0ld", "0lder");
    let error = refusal(transport(&server, &tokens)).await;
    assert!(is_refused(&error), "{error:?}");
    assert_eq!(error.to_string(), "535 5.7.8 token refused");
    assert_eq!(tokens.asked(), [TokenNeed::Login, TokenNeed::Refused]);
}

#[tokio::test]
async fn a_relay_that_refuses_without_a_challenge_gets_another_token_too() {
    let told = Rule::at(Stage::Auth).nth(1).reply(535, "5.7.3 0ld is over");
    let server = guarded().rule(told).start().await.unwrap();
    let tokens = Tokens::new("0ld", "g00d");
    let delivered = deliver(transport(&server, &tokens), &["ann"]).await;
    assert_eq!(delivered.codes(), ["sent"], "{delivered:?}");

    let told = Rule::at(Stage::Auth).reply(535, "5.7.3 s3cret is over");
    let server = guarded().rule(told).start().await.unwrap();
    let error = refusal(transport(&server, &Tokens::new("s3cret", "s3cret"))).await;
    assert!(is_refused(&error), "{error:?}");
    assert_eq!(error.to_string(), "535 5.7.3 *** is over");
}

#[tokio::test]
async fn what_another_token_does_not_cure_is_not_asked_for() {
    for (rule, is_expected) in [
        (
            Rule::at(Stage::Auth).reply(454, "4.7.0 later"),
            is_transient as fn(&ConnectError) -> bool,
        ),
        (Rule::at(Stage::Auth).cut(), is_transient),
        (
            Rule::at(Stage::Auth).reply(504, "5.5.4 unknown"),
            is_refused,
        ),
        (
            Rule::at(Stage::Auth).reply(534, "5.7.9 not for you"),
            is_refused,
        ),
    ] {
        let server = guarded().rule(rule).start().await.unwrap();
        let tokens = Tokens::new("g00d", "g00d");
        let error = refusal(transport(&server, &tokens)).await;
        assert!(is_expected(&error), "{error:?}");
        assert_eq!(tokens.asked(), [TokenNeed::Login], "{error:?}");
    }
    let without = SmtpServer::builder().auth("u", "p").start().await.unwrap();
    let tokens = Tokens::new("g00d", "g00d");
    let error = refusal(transport(&without, &tokens)).await;
    assert!(is_refused(&error), "{error:?}");
    assert_eq!(tokens.asked(), []);
}

#[tokio::test]
async fn no_token_is_trouble_that_passes() {
    let server = guarded().start().await.unwrap();
    let started = SystemClock.monotonic();
    for (first, words) in [
        (None, "the vault is locked"),
        (Some("never"), "within 300ms"),
        (Some("two words"), "printable"),
        (Some("a\u{1}auth=b"), "printable"),
        (Some(""), "printable"),
    ] {
        let tokens = Tokens {
            first,
            ..Tokens::new("", "")
        };
        let error = refusal(transport(&server, &tokens).time_limits(short())).await;
        assert!(is_transient(&error), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(SystemClock.monotonic() - started < Duration::from_secs(10));
    let lines = server.command_lines();
    assert!(
        !lines.iter().any(|line| line.starts_with("AUTH")),
        "{lines:?}"
    );
}

/// It does not read what stands behind the mechanism's name.
#[tokio::test]
async fn a_relay_may_ask_for_the_token_once_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let relay = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        let mut heard = Vec::new();
        let said = [
            "220 hi",
            "250-hi\r\n250 AUTH XOAUTH2",
            "334 ",
            "235 welcome",
        ];
        for words in said {
            write
                .write_all(format!("{words}\r\n").as_bytes())
                .await
                .unwrap();
            heard.push(lines.next_line().await.unwrap().unwrap_or_default());
        }
        heard
    });
    let transport = SmtpTransport::builder(&url)
        .xoauth2("u", Tokens::new("g00d", ""))
        .build()
        .unwrap();
    drop(transport.connect().await.unwrap());
    let heard = relay.await.unwrap();
    let response = "dXNlcj11AWF1dGg9QmVhcmVyIGcwMGQBAQ==";
    assert_eq!(heard[1], format!("AUTH XOAUTH2 {response}"));
    assert_eq!(heard[2], response);
}

#[test]
fn tokens_and_passwords_do_not_mix() {
    let build = |url: &str, user: &str| {
        SmtpTransport::builder(url)
            .xoauth2(user, Tokens::new("s3cret", ""))
            .build()
    };
    let wrong = build("smtps://u:p@relay.example", "u").unwrap_err();
    assert!(wrong.to_string().contains("tokens"), "{wrong}");
    for user in ["", "u\u{1}auth=Bearer x"] {
        assert!(build("smtps://relay.example", user).is_err(), "{user:?}");
    }
    let shown = format!("{:?}", build("smtps://relay.example", "u").unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
}
