//! What a Postfix refuses, in its own words.

use std::time::Duration;

use testkit::Postfix;

use crate::support::{codes, deliver, transport};

const SOON: Duration = Duration::from_secs(20);
/// Each session ends with this.
const DISCONNECT: &str = ": disconnect from ";
const NOBODY: &str = "550 5.1.1 no such user";

#[tokio::test]
async fn too_much_mail_in_a_minute_is_the_relays_limit() {
    let limited = Postfix::builder().setting("smtpd_client_message_rate_limit", "3");
    let postfix = limited.start().await.unwrap();
    let delivered = deliver(transport(postfix.url()), ["a", "b", "c", "d", "e"]).await;
    let limited = "relay_limited";
    assert_eq!(
        delivered.codes(),
        ["sent", "sent", "sent", limited, limited],
        "{delivered:?}"
    );
    let deliveries = postfix.wait_for_deliveries(3, SOON).await.unwrap();
    assert_eq!(deliveries.len(), 3);
}

#[tokio::test]
async fn too_many_connections_in_a_minute_are_too() {
    // The first is that which sees whether it serves.
    let limited = Postfix::builder().setting("smtpd_client_connection_rate_limit", "2");
    let postfix = limited.start().await.unwrap();
    assert_eq!(codes(transport(postfix.url())).await, ["sent", "sent"]);
    assert_eq!(codes(transport(postfix.url())).await, ["refused: limited"]);
}

#[tokio::test]
async fn a_mail_above_the_announced_size_is_not_even_begun() {
    let small = Postfix::builder().setting("message_size_limit", "1000");
    let postfix = small.start().await.unwrap();
    let refused = ["permanent_message", "permanent_message"];
    assert_eq!(codes(transport(postfix.url())).await, refused);
    // The first was that which sees whether it serves.
    let log = postfix.wait_for_log(2, DISCONNECT, SOON).await.unwrap();
    assert!(!log.contains(" mail="), "{log}");

    let wide = Postfix::builder().setting("message_size_limit", "4000");
    let postfix = wide.start().await.unwrap();
    assert_eq!(codes(transport(postfix.url())).await, ["sent", "sent"]);
}

#[tokio::test]
async fn recipients_are_refused_one_by_one() {
    for (reply, expected) in [
        (NOBODY, "permanent_recipient"),
        ("554 5.7.1 Blocked", "policy_block"),
        ("450 4.2.1 Greylisted", "transient_recipient"),
        ("552 5.2.2 Mailbox full", "transient_recipient"),
    ] {
        let refusing = Postfix::builder().refuse("bob@example.com", reply);
        let postfix = refusing.start().await.unwrap();
        let delivered = deliver(transport(postfix.url()), ["ann", "bob", "cy"]).await;
        assert_eq!(delivered.codes(), ["sent", expected, "sent"], "{reply}");
        assert_eq!(delivered.connections, 1, "{reply}");
        let deliveries = postfix.wait_for_deliveries(2, SOON).await.unwrap();
        assert_eq!(deliveries, ["ann@example.com", "cy@example.com"]);
    }
}

#[tokio::test]
async fn who_may_not_relay_is_no_fault_of_the_recipient() {
    for (last, expected) in [
        ("reject_unauth_destination", "permanent_config"),
        ("defer_unauth_destination", "transient_relay"),
    ] {
        let closed = Postfix::builder().setting("smtpd_relay_restrictions", last);
        let postfix = closed.start().await.unwrap();
        assert_eq!(codes(transport(postfix.url())).await, [expected; 2]);
    }
}

/// After 10 errors (`smtpd_soft_error_limit`) it answers every command a second later, and after 20 it hangs up.
#[tokio::test]
async fn refusals_never_add_up_to_what_a_relay_punishes() {
    let refusing = Postfix::builder()
        .refuse("example.com", NOBODY)
        .setting("smtpd_error_sleep_time", "0");
    let postfix = refusing.start().await.unwrap();
    let names = (0..40).map(|i| format!("r{i}"));
    let delivered = deliver(transport(postfix.url()), names).await;
    assert_eq!(delivered.count("permanent_recipient"), 40, "{delivered:?}");
    let sessions = delivered.connections + 1;
    let log = postfix.wait_for_log(sessions, DISCONNECT, SOON);
    let errors = errors_of_sessions(&log.await.unwrap());
    assert!(errors.iter().all(|&errors| errors <= 11), "{errors:?}");
    assert!(errors.iter().sum::<u32>() >= 40, "{errors:?}");
}

#[tokio::test]
async fn a_relay_that_hangs_up_after_errors_has_said_what_it_meant() {
    for limit in ["1", "2", "3"] {
        let strict = Postfix::builder()
            .refuse("example.com", NOBODY)
            .setting("smtpd_hard_error_limit", limit);
        let postfix = strict.start().await.unwrap();
        let delivered = deliver(transport(postfix.url()), ["ann", "bob", "cy"]).await;
        assert_eq!(
            delivered.codes(),
            ["permanent_recipient"; 3],
            "{limit}: {delivered:?}"
        );
        let too_many = postfix.wait_for_log(1, "too many errors", SOON);
        too_many.await.unwrap();
    }
}

/// By session, from lines such as `disconnect from … ehlo=1 mail=4 rcpt=0/4 data=0/4 quit=1 commands=6/14`.
fn errors_of_sessions(log: &str) -> Vec<u32> {
    let totals = log
        .lines()
        .filter_map(|line| line.split(" commands=").nth(1));
    let errors = totals.map(|total| match total.split_once('/') {
        Some((good, all)) => all.parse::<u32>().unwrap() - good.parse::<u32>().unwrap(),
        None => 0,
    });
    errors.collect()
}
