//! Where bounces go.

use testkit::SmtpServer;

use crate::program::Place;

/// The senders of the envelopes, in order.
async fn senders(args: &[&str]) -> Vec<String> {
    let place = Place::new();
    let csv = place.file("r.csv", "email\nann@example.com\nbob+x@example.com\n");
    let text = place.file("mail.txt", "Dear reader");
    let relay = SmtpServer::builder().start().await.unwrap();
    let mut all = vec!["run", "--subject", "Hello", "--text", &text];
    let url = relay.url();
    all.extend(["--recipients", &csv, "--smtp", &url]);
    all.extend(["--from", "Shop <news@shop.example>"]);
    all.extend(args);
    let ended = place.run(&all).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mails = relay.mails();
    for mail in &mails {
        let text = mail.text();
        assert!(
            text.starts_with("From: Shop <news@shop.example>\r\n"),
            "{text}"
        );
        assert!(!text.contains("bounces"), "{text}");
    }
    let mut senders: Vec<String> = mails.into_iter().map(|mail| mail.from).collect();
    senders.sort_unstable();
    senders
}

#[tokio::test]
async fn bounces_go_to_the_sender_unless_told_otherwise() {
    assert_eq!(senders(&[]).await, ["news@shop.example"; 2]);
    assert_eq!(
        senders(&["--return-path", "bounces@shop.example"]).await,
        ["bounces@shop.example"; 2]
    );
    assert_eq!(
        senders(&["--verp", "bounces@shop.example"]).await,
        [
            "bounces+ann=example.com@shop.example",
            "bounces+bob+x=example.com@shop.example",
        ]
    );
}
