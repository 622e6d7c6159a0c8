//! What a relay offers, and what follows for a mail.

use testkit::SmtpServer;

use crate::support::{deliver, server, transport};

#[tokio::test]
async fn what_the_relay_cannot_take_is_not_sent_to_it() {
    let server = SmtpServer::builder().max_size(1_000).start().await.unwrap();
    let delivered = deliver(transport(&server), &["ann"]).await;
    assert_eq!(delivered.codes(), ["permanent_message"]);
    assert!(
        !server
            .command_lines()
            .iter()
            .any(|line| line.starts_with("MAIL"))
    );

    let server = SmtpServer::builder()
        .without("SMTPUTF8")
        .start()
        .await
        .unwrap();
    let delivered = deliver(transport(&server), &["j\u{f6}rg", "ann"]).await;
    assert_eq!(delivered.codes(), ["transient_recipient", "sent"]);
}

#[tokio::test]
async fn the_declared_size_is_that_of_the_mail() {
    let told = server([]).await;
    deliver(transport(&told), &["ann"]).await;
    let mail = told.mails().remove(0);
    let size = mail.body.len();
    assert!(
        mail.text().contains("\r\n.It has"),
        "dots are not counted twice"
    );
    assert_eq!(mail.parameters, format!("SIZE={size}"));

    for (limit, expected) in [(size, "sent"), (size - 1, "permanent_message")] {
        let server = SmtpServer::builder().max_size(limit).start().await.unwrap();
        let delivered = deliver(transport(&server), &["ann"]).await;
        assert_eq!(delivered.codes(), [expected], "{delivered:?}");
    }
    let without = SmtpServer::builder().without("SIZE").start().await.unwrap();
    deliver(transport(&without), &["ann"]).await;
    assert_eq!(without.mails()[0].parameters, "");
}

#[tokio::test]
async fn smtputf8_is_used_where_it_is_offered() {
    let server = server([]).await;
    let delivered = deliver(transport(&server), &["j\u{f6}rg"]).await;
    assert_eq!(delivered.codes(), ["sent"], "{delivered:?}");
    assert_eq!(server.mails()[0].to, ["j\u{f6}rg@example.com"]);
}
