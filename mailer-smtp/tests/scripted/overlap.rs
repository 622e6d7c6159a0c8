//! The next envelope behind the dot of the mail before.

use std::sync::Arc;
use std::time::Duration;

use mailer_core::conformance::transport::Rig;
use testkit::{Rule, Stage};

use crate::support::{deliver, server, short, transport};

/// Long enough for the next envelope to leave before the verdict.
fn slow_verdict() -> Rule {
    Rule::at(Stage::Dot).delay(Duration::from_millis(50))
}

#[tokio::test]
async fn silence_is_about_the_mail_that_it_follows() {
    for is_on in [true, false] {
        let server = server([Rule::at(Stage::Dot).nth(1).stall()]).await;
        let transport = transport(&server).time_limits(short()).overlap(is_on);
        let delivered = deliver(transport, &["ann", "bob"]).await;
        assert_eq!(delivered.codes(), ["unknown", "sent"], "{delivered:?}");
    }
}

#[tokio::test]
async fn each_mail_gets_its_own_verdict() {
    for (code, text, expected) in [
        (250, "2.0.0 ok", "sent"),
        (451, "4.0.0 later", "transient_recipient"),
        (552, "5.3.4 too big", "permanent_message"),
        (550, "5.7.1 spam", "policy_block"),
    ] {
        let refused = Rule::at(Stage::Dot).nth(2).reply(code, text);
        let server = server([slow_verdict(), refused]).await;
        let delivered = deliver(transport(&server), &["ann", "bob", "cy"]).await;
        assert_eq!(delivered.codes(), ["sent", expected, "sent"], "{text}");
        assert_eq!(server.connections().len(), 1);
    }
    for (stage, code, text, expected) in [
        (Stage::Mail, 451, "4.3.0 oops", "transient_relay"),
        (
            Stage::Rcpt,
            550,
            "5.1.1 no such user",
            "permanent_recipient",
        ),
        (Stage::Data, 554, "5.7.1 no", "policy_block"),
    ] {
        let server = server([slow_verdict(), Rule::at(stage).nth(2).reply(code, text)]).await;
        let delivered = deliver(transport(&server), &["ann", "bob", "cy"]).await;
        assert_eq!(delivered.codes(), ["sent", expected, "sent"], "{text}");
        assert_eq!(server.connections().len(), 1);
    }
}

#[tokio::test]
async fn a_mail_behind_one_whose_connection_ends_goes_out_on_another() {
    for (end, expected) in [
        (Rule::at(Stage::Dot).nth(1).cut(), "unknown"),
        (Rule::at(Stage::Dot).nth(1).reset(), "unknown"),
        (Rule::at(Stage::Dot).nth(1).half_close(), "unknown"),
        (
            Rule::at(Stage::Dot).nth(1).reply_raw("what?\r\n"),
            "unknown",
        ),
        (
            Rule::at(Stage::Dot).nth(1).reply(421, "4.3.2 closing"),
            "transient_relay",
        ),
    ] {
        let told = format!("{end:?}");
        let server = server([slow_verdict(), end]).await;
        let delivered = deliver(transport(&server), &["ann", "bob", "cy"]).await;
        assert_eq!(delivered.codes(), [expected, "sent", "sent"], "{told}");
        assert_eq!(
            (server.connections().len(), server.connections_peak()),
            (2, 1),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_mail_behind_another_has_the_first_word_of_a_relay_that_closes() {
    for end in [
        Rule::at(Stage::Mail).nth(2).cut(),
        Rule::at(Stage::Mail)
            .nth(2)
            .reply(421, "4.4.2 idle for too long"),
        // It has lost the beginning of what came behind the dot.
        Rule::at(Stage::Mail).nth(2).reply(503, "5.5.1 sequence"),
    ] {
        let told = format!("{end:?}");
        let server = server([slow_verdict(), end]).await;
        let delivered = deliver(transport(&server), &["ann", "bob"]).await;
        assert_eq!(delivered.codes(), ["sent", "sent"], "{told}");
        assert_eq!(server.mails().len(), 2, "{told}");
    }
    let full = Rule::at(Stage::Mail)
        .nth(2)
        .reply(421, "4.7.0 too many messages");
    let server = server([slow_verdict(), full]).await;
    let delivered = deliver(transport(&server), &["ann", "bob"]).await;
    assert_eq!(delivered.codes(), ["sent", "relay_limited"]);
}

#[tokio::test]
async fn a_relay_that_swallows_an_envelope_gets_no_more_behind_a_dot() {
    // What comes while a verdict is under way is never answered, on any connection.
    let server = server([
        slow_verdict(),
        Rule::at(Stage::Mail).nth(2).stall(),
        Rule::at(Stage::Dot).nth(3).stall(),
    ])
    .await;
    let transport = transport(&server).time_limits(short());
    let delivered = deliver(transport, &["ann", "bob", "cy", "dan"]).await;
    // Were dan's envelope sent behind the dot of cy, which is never answered, it would not go out.
    assert_eq!(
        delivered.codes(),
        ["sent", "sent", "unknown", "sent"],
        "{delivered:?}"
    );
}

#[tokio::test]
async fn a_relay_whose_verdicts_take_too_long_gets_no_more_behind_a_dot() {
    let server = server([Rule::at(Stage::Dot).delay(Duration::from_millis(600))]).await;
    let rig = Rig::new(Arc::new(transport(&server).build().unwrap()));
    let delivered = rig
        .finish_within(Duration::from_millis(300))
        .deliver(["ann", "bob", "cy", "dan"])
        .await;
    assert_eq!(
        delivered.codes(),
        ["sent", "transient_relay", "sent", "sent"],
        "{delivered:?}"
    );
}
