//! Transports of lettre behind the same door.

use std::fs;
use std::sync::Arc;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::stub::AsyncStubTransport;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, Tokio1Executor};
use mailer_core::conformance::transport::Rig;
use mailer_core::domain::Outcome;
use mailer_core::transport::OneShot;
use mailer_smtp::{from_lettre, from_lettre_judging};
use testkit::{Rule, SmtpServer, Stage};

use crate::support::{deliver, server, transport};

async fn outcome(transport: OneShot) -> Outcome {
    let mut delivered = Rig::new(Arc::new(transport)).deliver(["ann"]).await;
    delivered.outcomes.remove(0).1
}

fn smtp(server: &SmtpServer) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.addr().ip().to_string())
        .port(server.addr().port())
        .build()
}

#[tokio::test]
async fn the_mail_is_the_same_byte_for_byte() {
    let server = server([]).await;
    deliver(transport(&server), &["ann"]).await;
    let expected = server.mails().remove(0);
    assert!(expected.text().contains("\r\n.It has a line that"));

    let stub = AsyncStubTransport::new_ok();
    let sent = outcome(from_lettre(stub.clone())).await;
    assert_eq!(sent.code(), "sent");
    let (envelope, mail) = stub.messages().await.remove(0);
    assert_eq!(mail.as_bytes(), expected.body);
    let sender = envelope.from().map(ToString::to_string);
    assert_eq!(sender, Some(expected.from));
    assert_eq!(envelope.to()[0].to_string(), expected.to[0]);

    let folder = tempfile::tempdir().unwrap();
    let files = AsyncFileTransport::<Tokio1Executor>::new(folder.path());
    let sent = outcome(from_lettre(files)).await;
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    let file = files[0].as_ref().unwrap();
    let found = fs::read(file.path()).unwrap();
    let name = file.file_name().into_string().unwrap();
    assert_eq!((files.len(), found), (1, expected.body));
    // What the transport calls the mail is its word.
    let Outcome::Sent { reply } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(name, format!("{reply}.eml"));
}

#[tokio::test]
async fn an_error_of_which_nothing_is_known_is_unknown_unless_the_host_knows() {
    let failing = outcome(from_lettre(AsyncStubTransport::new_error())).await;
    assert_eq!(failing.code(), "unknown");
    let missing = AsyncFileTransport::<Tokio1Executor>::new("/nowhere/at/all");
    assert_eq!(outcome(from_lettre(missing)).await.code(), "unknown");
    let judged = from_lettre_judging(AsyncStubTransport::new_error(), |error| {
        Outcome::TransientRelay {
            reply: error.to_string(),
        }
    });
    assert_eq!(outcome(judged).await.code(), "transient_relay");
}

#[tokio::test]
async fn a_reply_that_smtp_has_read_decides_and_silence_is_unknown() {
    for (rule, expected) in [
        (Rule::at(Stage::Noop), "sent"),
        (
            Rule::at(Stage::Rcpt).reply(550, "5.1.1 no such user"),
            "permanent_recipient",
        ),
        (
            Rule::at(Stage::Rcpt).reply(450, "4.2.1 too quickly"),
            "transient_recipient",
        ),
        (
            Rule::at(Stage::Mail).reply(450, "4.7.1 slow down"),
            "relay_limited",
        ),
        (
            Rule::at(Stage::Mail).reply(530, "5.7.0 log in"),
            "permanent_config",
        ),
        (
            Rule::at(Stage::Connect).reply(421, "4.3.2 not now"),
            "transient_relay",
        ),
        (
            Rule::at(Stage::Dot).reply(550, "5.7.1 spam"),
            "policy_block",
        ),
        (
            Rule::at(Stage::Dot).reply(552, "5.3.4 too big"),
            "permanent_message",
        ),
        (
            Rule::at(Stage::Mail).reply(550, "5.1.7 bad sender"),
            "permanent_config",
        ),
        (Rule::at(Stage::Dot).reply(354, "go on"), "unknown"),
        (Rule::at(Stage::Dot).cut(), "unknown"),
        // It may have been the dot that was cut, for all that lettre says.
        (Rule::at(Stage::Mail).cut(), "unknown"),
        (Rule::at(Stage::Dot).reply_raw(*b"250\r\n"), "unknown"),
    ] {
        let told = format!("{rule:?}");
        let server = server([rule]).await;
        let outcome = outcome(from_lettre(smtp(&server))).await;
        assert_eq!(outcome.code(), expected, "{told}: {outcome:?}");
    }
    let limited = server([Rule::at(Stage::Rcpt).reply(450, "4.2.1 again in 20 minutes")]).await;
    let outcome = outcome(from_lettre(smtp(&limited))).await;
    assert!(
        matches!(&outcome, Outcome::TransientRecipient { reply, retry_after: Some(wait) }
            if wait.as_secs() == 1_200 && reply.starts_with("450 4.2.1 again")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn what_comes_before_the_mail_is_not_in_doubt() {
    let mut gone = server([]).await;
    gone.stop().await;
    let refused = outcome(from_lettre(smtp(&gone))).await;
    assert_eq!(refused.code(), "transient_relay", "{refused:?}");

    let guarded = SmtpServer::builder().auth("u", "p").start().await.unwrap();
    let wrong = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(guarded.addr().port())
        .credentials(Credentials::new("u".to_owned(), "wr0ng".to_owned()))
        .build();
    let refused = outcome(from_lettre(wrong)).await;
    assert_eq!(refused.code(), "permanent_config", "{refused:?}");

    let open = server([]).await;
    let no_login = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(open.addr().port())
        .credentials(Credentials::new("u".to_owned(), "p".to_owned()))
        .build();
    let refused = outcome(from_lettre(no_login)).await;
    assert_eq!(refused.code(), "permanent_config", "{refused:?}");
}
