//! The next envelope behind the dot, at a relay that was not written for it.

use std::time::Duration;

use testkit::{FaultProxy, Postfix};

use crate::support::{deliver, transport};

const MAILS: usize = 200;
const SOON: Duration = Duration::from_secs(20);

fn is_refused(i: usize) -> bool {
    i % 20 == 7
}

#[tokio::test]
async fn every_mail_reaches_the_queue_of_postfix_once() {
    let mut refusing = Postfix::builder();
    for i in (0..MAILS).filter(|&i| is_refused(i)) {
        refusing = refusing.refuse(&format!("r{i}@example.com"), "550 5.1.1 no such user");
    }
    let postfix = refusing.start().await.unwrap();
    // Far enough away for the next envelope to be under way before the verdict.
    let network = FaultProxy::start(postfix.addr()).await.unwrap();
    network.latency(Duration::from_millis(5));
    let url = format!("smtp://{}", network.addr());

    let names = (0..MAILS).map(|i| format!("r{i}"));
    let delivered = deliver(transport(&url).connections(4), names).await;
    let mut sent = Vec::new();
    for (i, (name, outcome)) in delivered.outcomes.iter().enumerate() {
        let expected = match is_refused(i) {
            true => "permanent_recipient",
            false => "sent",
        };
        assert_eq!(outcome.code(), expected, "{name}: {outcome:?}");
        if !is_refused(i) {
            sent.push(format!("{name}@example.com"));
        }
    }
    assert_eq!(delivered.outcomes.len(), MAILS);

    let queued = postfix.wait_for_deliveries(sent.len(), SOON).await.unwrap();
    sent.sort();
    assert_eq!(queued, sent);
    // Two for each mail would be 400, and each connection has its own.
    let taken = network.round_trips();
    assert!(taken < 300, "{taken} round trips");
}
