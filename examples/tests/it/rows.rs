//! Bad rows are named, and the rest is sent.

use std::time::Duration;

use testkit::SmtpServer;

use crate::program::Place;

#[tokio::test]
async fn bad_rows_are_named_by_their_lines_and_the_rest_is_sent() {
    let place = Place::new();
    let csv = "email,name,key\n\
               ann@example.com,Ann,1\n\
               ben@,Ben,2\n\
               \n\
               cleo@example.com,\"Cleo\nthe second\",3\n\
               dan@example.com,Dan\n\
               eva@example.com,Eva,1\n\
               finn@example.com,Finn,\n\
               gala@example.com,Gala,7\n";
    let csv = place.file("r.csv", csv);
    let relay = SmtpServer::builder().start().await.unwrap();
    let ended = place
        .run(&["run", "--recipients", &csv, "--smtp", &relay.url()])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in [
        "line 3: email \"ben@\": a domain must follow the @",
        "line 5: name \"Cleo\\nthe second\": no line break",
        "line 7: row \"2 values\": the header names 3 columns",
        "line 8: key \"1\"",
        "line 9: key \"\": a key must not be empty",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {ended:?}");
    }
    assert!(ended.stdout.contains("2 of 2 sent"), "{ended:?}");
    assert!(ended.stdout.contains("5 rows"), "{ended:?}");
    let mails = relay
        .wait_for_mails(2, Duration::from_secs(5))
        .await
        .unwrap();
    let mut to: Vec<_> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort_unstable();
    assert_eq!(to, ["ann@example.com", "gala@example.com"]);
}

#[tokio::test]
async fn the_first_twenty_bad_rows_are_named_and_the_others_counted() {
    let place = Place::new();
    let bad: String = (0..25).map(|i| format!("bad{i}@\n")).collect();
    let csv = place.file("r.csv", format!("email\n{bad}ann@example.com\n"));
    let ended = place.run(&["run", "--recipients", &csv]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let named = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("line "))
        .count();
    assert_eq!(named, 20);
    assert!(ended.stderr.contains("and 5 more bad rows"), "{ended:?}");
    assert!(ended.stdout.contains("25 rows"), "{ended:?}");
}

#[tokio::test]
async fn a_byte_order_mark_and_crlf_are_no_fault() {
    let place = Place::new();
    let csv = place.file(
        "r.csv",
        "\u{feff}email,name\r\nann@example.com,Ann\r\n\r\nben@,Ben\r\n",
    );
    let ended = place.run(&["run", "--recipients", &csv]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("line 4: email \"ben@\""), "{ended:?}");
}
