//! TLS and the login, as OpenSSL and Postfix understand them.

use std::time::Duration;

use testkit::{Certificate, Postfix, PostfixBuilder};

use crate::support::{codes, transport};

const SOON: Duration = Duration::from_secs(20);

fn both_ways() -> [PostfixBuilder; 2] {
    let certificate = || Certificate::for_names(&["127.0.0.1"]).unwrap();
    [
        Postfix::builder().starttls(certificate()),
        Postfix::builder().implicit_tls(certificate()),
    ]
}

/// Its URL with this login, and the query that asks for TLS where the scheme does not.
fn url(postfix: &Postfix, login: &str) -> String {
    let url = postfix.url().replace("://", &format!("://{login}"));
    if url.starts_with("smtps") {
        url
    } else {
        format!("{url}?tls=required")
    }
}

#[tokio::test]
async fn the_right_login_over_tls_is_let_in() {
    for builder in both_ways() {
        let postfix = builder.auth("ann@shop", "s3c:ret").start().await.unwrap();
        let trusting =
            |login| transport(&url(&postfix, login)).trust_pem(postfix.ca_pem().unwrap());
        let right = codes(trusting("ann%40shop:s3c%3Aret@")).await;
        assert_eq!(right, ["sent", "sent"], "{}", postfix.log().unwrap());
        let logged_in = postfix.wait_for_log(2, "sasl_username=ann@shop", SOON);
        logged_in.await.unwrap();
        let deliveries = postfix.wait_for_deliveries(2, SOON).await.unwrap();
        assert_eq!(deliveries.len(), 2);

        let wrong = codes(trusting("ann%40shop:wrong@")).await;
        assert_eq!(wrong, ["bad_credentials"]);
        // It does not relay for strangers.
        assert_eq!(codes(trusting("")).await, ["permanent_config"; 2]);
    }
}

#[tokio::test]
async fn an_authority_that_nobody_knows_is_not_trusted() {
    for builder in both_ways() {
        let postfix = builder.start().await.unwrap();
        assert_eq!(codes(transport(&url(&postfix, ""))).await, ["tls_refused"]);
    }
}

#[tokio::test]
async fn a_relay_that_asks_for_tls_gets_no_mail_without() {
    let [starttls, _] = both_ways();
    let postfix = starttls.start().await.unwrap();
    let refused = codes(transport(postfix.url())).await;
    assert_eq!(refused, ["permanent_config"; 2]);
}
