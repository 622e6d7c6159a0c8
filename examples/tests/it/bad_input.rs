//! Every bad input: exit code 2, a message with the value and the rule, and nothing reaches the relay.

use testkit::SmtpServer;

use crate::program::Place;

/// Arguments, and what stderr must say.
type Case<'a> = (&'a [&'a str], &'a [&'a str]);

async fn refuses_all(place: &Place, cases: &[Case<'_>]) {
    let relay = SmtpServer::builder().start().await.unwrap();
    let url = relay.url();
    for (args, words) in cases {
        let mut args = args.to_vec();
        if !args.contains(&"--smtp") {
            args.extend(["--smtp", &url]);
        }
        let ended = place.run(&args).await;
        assert_eq!(ended.code, Some(2), "{args:?} {ended:?}");
        for word in *words {
            assert!(
                ended.stderr.contains(word),
                "{args:?} lacks {word:?}: {}",
                ended.stderr
            );
        }
        assert_eq!(ended.stdout, "", "{args:?}");
    }
    assert_eq!(relay.connections().len(), 0);
    assert!(!place.path().join("outbox").exists());
}

#[tokio::test]
async fn recipients() {
    let place = Place::new();
    place.file("no-email.csv", "mail,name\na@example.com,Ann\n");
    place.file("empty.csv", "");
    place.file("no-rows.csv", "email,name\n");
    place.file("twice.csv", "email,name,name\na@example.com,A,B\n");
    place.file(
        "latin1.csv",
        b"email,name\na@example.com,Ann\nb@example.com,Ren\xe9\n",
    );
    place.file("all-bad.csv", "email\nann\nben@\n");
    place.file("one-bad.csv", "email\nann@example.com\nben@\n");
    refuses_all(
        &place,
        &[
            (
                &["--recipients", "missing.csv"],
                &["missing.csv", "cannot be read", "No such file"],
            ),
            (&["--recipients", "."], &["\".\"", "cannot be read"]),
            (
                &["--recipients", "no-email.csv"],
                &["no-email.csv", "no column email", "\"mail\""],
            ),
            (&["--recipients", "empty.csv"], &["empty.csv", "is empty"]),
            (
                &["--recipients", "no-rows.csv"],
                &["no-rows.csv", "no rows"],
            ),
            (&["--recipients", "twice.csv"], &["\"name\" twice"]),
            (
                &["--recipients", "latin1.csv"],
                &["latin1.csv, line 3", "0xe9", "UTF-8"],
            ),
            (
                &["--recipients", "all-bad.csv"],
                &["line 2: email \"ann\": it has no @", "2 of 2"],
            ),
            (
                &["--recipients", "one-bad.csv", "--strict"],
                &["line 3: email \"ben@\"", "bad rows (1)", "--strict"],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn templates() {
    let place = Place::new();
    place.file("syntax.txt", "Dear\n{{ name }\n");
    place.file("field.txt", "Dear {{ name }} of {{ planet }}");
    place.file("filter.html", "<p>{{ name|shout }}</p>");
    refuses_all(
        &place,
        &[
            (
                &["--text", "missing.txt"],
                &["--text", "missing.txt", "cannot be read"],
            ),
            (
                &["--text", "syntax.txt"],
                &["text", "line 2", "syntax error"],
            ),
            (&["--html", "filter.html"], &["html, line 1", "shout"]),
            (
                &["--text", "field.txt"],
                &["planet", "\"email\", \"name\", \"city\""],
            ),
            (
                &["--subject", "{{ planet }}"],
                &["planet", "no such column"],
            ),
            (&["--subject", "{% if %}"], &["subject, line 1"]),
            (&["--subject", " "], &["subject", "needs a subject"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn limits_hours_and_numbers() {
    refuses_all(
        &Place::new(),
        &[
            (&["--limit", "-1/hour"], &["-1/hour", "no whole number"]),
            (
                &["--limit", "100/fortnight"],
                &["100/fortnight", "unknown unit \"fortnight\""],
            ),
            (&["--limit", "1e9/hour"], &["1e9/hour", "no whole number"]),
            (&["--limit", ""], &["--limit", "empty"]),
            (
                &["--limit", "none", "--limit", "1/hour"],
                &["none", "stands alone"],
            ),
            (
                &["--hours", "Mon-Fri 09:00-09:00"],
                &["09:00-09:00", "ends where it starts"],
            ),
            (
                &["--hours", "Mon 25:00-26:00"],
                &["25:00", "no time of day"],
            ),
            (&["--hours", "25:00"], &["25:00"]),
            (&["--hours", "09:00-09:00"], &["09:00-09:00"]),
            (&["--hours", "Mon-"], &["Mon-"]),
            (&["--hours", ""], &["--hours", "no hours given"]),
            (
                &["--hours", "daily 09:00-18:00", "--zone", "Mars/Olympus"],
                &["Mars/Olympus", "unknown time zone"],
            ),
            (
                &["--zone", "Mars/Olympus"],
                &["Mars/Olympus", "unknown time zone"],
            ),
            (&["--zone", "UTC"], &["--zone", "--hours"]),
            (&["--holiday", "2026-01-01"], &["--holiday", "--hours"]),
            (
                &["--hours", "always", "--holiday", "2026-02-30"],
                &["2026-02-30", "YYYY-MM-DD"],
            ),
            (&["--transient-delay", "-5m"], &["-5m", "not below zero"]),
            (&["--transient-delay", "soon"], &["soon", "length of time"]),
            (
                &["--connections", "0"],
                &["'0'", "--connections", "at least 1"],
            ),
            (
                &["--connections", "-1"],
                &["-1", "--connections", "at least 1"],
            ),
            (
                &["--reserved", "101"],
                &["--reserved", "0 to 100 percent", "101"],
            ),
            (&["--on-unknown", "guess"], &["guess", "assume-sent"]),
            (
                &["--return-path", "Shop <a@shop.example>"],
                &["return_path", "Shop <a@shop.example>"],
            ),
            (
                &["--verp", "a-local-part-of-thirty-two-bytes@shop.example"],
                &["return_path", "31 octets"],
            ),
            (
                &[
                    "--verp",
                    "a@shop.example",
                    "--return-path",
                    "a@shop.example",
                ],
                &["--verp", "--return-path", "cannot be used with"],
            ),
            (&["--id", "spring offer"], &["spring offer", "legal id"]),
            (&["--namespace", "a b"], &["a b", "legal namespace"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn headers_cannot_be_injected() {
    let place = Place::new();
    let forged = "Offer\r\nBcc: all@example.com";
    place.file(
        "all.csv",
        "email,name\n\"a@example.com\r\nBcc: b@example.com\",Ann\nc@example.com,\"Cleo\nBcc: d@example.com\"\n\
         e@example.com,Eva\0\n",
    );
    refuses_all(
        &place,
        &[
            (&["--subject", forged], &["subject", "no line break"]),
            (
                &["--subject", "Offer\nfor you"],
                &["subject", "no line break"],
            ),
            (
                &["--from", "Shop\r\nBcc: x <a@example.com>"],
                &["from", "no line break"],
            ),
            (
                &["--from", "a@example.com\r\nBcc: b@example.com"],
                &["from", "Bcc"],
            ),
            (
                &["--from", "news@"],
                &["from \"news@\"", "a domain must follow"],
            ),
            (
                &["test", "--to", "a@example.com\r\nBcc: b@example.com"],
                &["--to", "Bcc"],
            ),
            (
                &["test", "--to", "a b@example.com"],
                &["--to", "before the @"],
            ),
            (
                &["--recipients", "all.csv"],
                &[
                    "line 2: email",
                    "line 4: name \"Cleo\\nBcc",
                    "line 6: name \"Eva\\0\"",
                    "3 of 3",
                ],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn relays() {
    refuses_all(
        &Place::new(),
        &[
            (
                &["--smtp", "http://127.0.0.1"],
                &["--smtp", "unknown scheme \"http\""],
            ),
            (&["--smtp", "127.0.0.1:25"], &["--smtp"]),
            (
                &["--smtp", "smtp://127.0.0.1?tls=opportunistic"],
                &["--smtp", "tls=opportunistic"],
            ),
            (
                &["--smtp", "smtp://relay.example"],
                &[
                    "--smtp",
                    "\"relay.example\" is not this machine",
                    "tls=none",
                ],
            ),
            (
                &["--smtp", "smtp://u:secret@relay.example"],
                &["--smtp", "is not this machine"],
            ),
        ],
    )
    .await;
    let ended = Place::new()
        .run(&["--smtp", "smtp://u:secret@relay.example"])
        .await;
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
}

#[tokio::test]
async fn stores() {
    let shared: &[&str] = &["memory", "one process"];
    refuses_all(
        &Place::new(),
        &[
            (&["--store", "mysql://x"], &["mysql://x", "unknown store"]),
            (&["submit"], shared),
            (&["list"], shared),
            (&["work"], shared),
            (&["status", "spring"], shared),
            (&["pause", "spring"], shared),
            (&["resume", "spring"], shared),
            (&["cancel", "spring"], shared),
            (&["purge", "spring"], shared),
            (&["policy", "set"], shared),
            (&["policy", "show"], shared),
            (&["policy", "clear"], shared),
        ],
    )
    .await;
}
